"""What a test of a model that answers with files tells of the file."""

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from foundation.media.store import files_root
from inference_workers.engine.scripted import Script
from inference_workers.models import Completion
from inference_workers.streams import sync_client
from inference_workers.use_cases.ask_for_test import TEST_QUESTION
from tests.annotation.media.files import picture
from tests.factories import make_user
from tests.inference_workers.factories import make_revision
from tests.inference_workers.pumping import Scripts, run_pump

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_test_that_brings_an_animation_says_that_arenas_refuse_it(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    operator = Client()
    operator.force_login(make_user(role="operator"))
    sync_client().flushdb()
    model = make_revision(output="image").language_model
    still = picture("GIF")
    moving = picture("GIF", save_all=True, append_images=[Image.new("RGB", (64, 48), "red")])

    def told(content):
        asked = operator.post(reverse("model-test", args=[model.pk]))["Location"]
        run_pump(Scripts({TEST_QUESTION: Script((), file=content)}))
        assert operator.get(asked).context["test"]["row"].state == "succeeded"
        return operator.get(asked).content.decode()

    page = told(moving)
    assert "It answered with a file (image/gif" in page
    assert "Campaigns take this file, arenas refuse it" in page
    assert "It is an animation, where one picture was asked for. A battle with such an answer is void" in page
    page = told(still)
    assert ("Campaigns and arenas of its kind take it." in page, "arenas refuse it" in page) == (True, False)
    for path in files_root().glob("??/*"):
        path.unlink()
    again = operator.get(reverse("model", args=[model.pk]), {"test": Completion.objects.latest("created_at").pk})
    assert "The file is not there any more." in again.content.decode()
