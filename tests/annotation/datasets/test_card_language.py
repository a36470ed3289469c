"""A dataset's card is the same whatever language the process that builds it is in."""

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from annotation.datasets.folders import version_folder
from tests.annotation.datasets.rows import build, judged, make_models
from tests.factories import make_campaign

pytestmark = pytest.mark.django_db


def test_a_card_does_not_mix_languages(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    words = {"Live": "Hier", "Annotator": "Mensch"}
    catalog = trans_real.translation("de")
    monkeypatch.setattr(catalog, "gettext", lambda message: words.get(message, message))
    campaign = make_campaign()
    judged(campaign, make_models(campaign), 0)
    with translation.override("de"):
        assert translation.gettext("Live") == "Hier"
        card = (version_folder(build(campaign)) / "README.md").read_text()
    assert ("| Live |" in card, "Hier" in card, "Mensch" in card) == (True, False, False)
