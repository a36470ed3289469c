"""A question type is a folder: dropped in, it is offered, edited with its words, asked, answered, simulated, ranked,
exported and sent on the round trip of every type by the cases it brings. Nothing else changes.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import annotation.questions
from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.boards.measures import read_measures
from annotation.datasets.folders import version_folder
from annotation.enums import RespondentKind
from annotation.models import Campaign, Judgment
from annotation.policies.drafts import section_content
from annotation.queries import instrument_questions, standing_judgments
from annotation.questions import UnknownQuestionType, all_types, get_type
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.simulate_judgments import simulate_judgments
from tests.annotation.campaigns.pages import edit, start
from tests.annotation.campaigns.pages import fields as fields_of_editor
from tests.annotation.datasets.rows import build
from tests.annotation.questions.cases import cases_of, every_case
from tests.annotation.questions.round_trip import CHECKS, ranking_reads_it_by_who_was_shown_where, travel
from tests.annotation.work.test_pages import fields
from tests.factories import make_campaign, make_contestant, make_item, make_user

pytestmark = pytest.mark.django_db(transaction=True)

CODE = '''
from annotation.questions.base import Answer, Export, QuestionType
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import Refused
from annotation.questions.settings import one_of, whole_number


class StarsQuestion(QuestionType):
    """Raw: how many stars each response gets. Stored: the same and how many there are."""

    slug = "stars"
    label = "Stars"
    title = "How many stars?"
    settings = {
        "most": whole_number("Most stars", 3, 2, 5),
        "shape": one_of("Shape of a star", {"five": "Five points", "six_points": "Of David"}),
    }
    gives = frozenset({"scores"})
    exports = {"stars": Export(list[int], "stars of each response"), "stars_most": Export(int, "how many there are")}

    def parts(self, asked, situation):
        return tuple(str(index) for index in range(situation.responses))

    def collect(self, asked, values, before, situation):
        return [int(value) if value.isdigit() else None for value in values.values()] if any(values.values()) else None

    def read(self, asked, raw, before, situation):
        if not isinstance(raw, list) or any(type(star) is not int for star in raw):
            raise Refused("missing", "Give stars to each response.", part="0")
        stored = {"stars": raw, "most": asked.settings["most"]}
        return Answer(stored=stored, columns={"scores": [float(star) for star in raw]})

    def present(self, asked, values, refusals, situation):
        stars = [Option(str(star), str(star)) for star in range(asked.settings["most"] + 1)]
        return {"choices": [Choice(f"{asked.name}.{part}", f"Stars of {part}", stars) for part in values]}

    def export_columns(self, stored):
        stored = stored or {}
        return {"stars": stored.get("stars"), "stars_most": stored.get("most")}

    def simulate(self, asked, rng, utilities, before):
        return [asked.settings["most"] if utility > 0 else 0 for utility in utilities]


QUESTION_TYPE = StarsQuestion()
'''
TEMPLATE = """{% for choice in section.view.choices %}{% include "questions/choice.html" %}{% endfor %}
{% if section.errors %}{% include "questions/errors.html" %}{% endif %}"""

CASES = """
from tests.annotation.questions.cases import THREE, Case

CASES = {
    "": Case(
        {"most": 5},
        **THREE,
        posts=lambda shown: {f"q.{place}": str(star) for place, star in enumerate(shown.by([5, 0, 3]))},
        stored=lambda shown: {"stars": shown.by([5, 0, 3]), "most": 5},
        columns=lambda shown: {"scores": shown.by([5.0, 0.0, 3.0])},
        exported=lambda shown: {"stars": shown.by([5, 0, 3]), "stars_most": 5},
        measure={0: 5.0, 1: 0.0, 2: 3.0},
    ),
}
"""


@pytest.fixture
def dropped(tmp_path, settings, monkeypatch) -> Iterator[Path]:
    """A folder beside those of the house: found as they are, its template where theirs are."""
    folder = tmp_path / "questions" / "stars"
    files = {"__init__.py": CODE, "ask.html": TEMPLATE, "tests/__init__.py": "", "tests/cases.py": CASES}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(annotation.questions, "__path__", [*annotation.questions.__path__, str(folder.parent)])
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [*engine["DIRS"], tmp_path]}]
    settings.MEDIA_ROOT = tmp_path / "media"
    all_types.cache_clear()
    yield folder
    shutil.rmtree(folder)
    for name in [name for name in sys.modules if name.startswith("annotation.questions.stars")]:
        del sys.modules[name]
    all_types.cache_clear()


def test_a_type_is_there_with_its_folder_and_gone_with_it(dropped):
    assert get_type("stars").label == "Stars"
    shutil.rmtree(dropped)
    all_types.cache_clear()
    with pytest.raises(UnknownQuestionType):
        get_type("stars")
    dropped.mkdir()


def test_a_dropped_type_is_offered_and_edited_with_its_words(dropped):
    admin, campaign = Client(), start(draft={"questions": []})
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    page = admin.get(edit(campaign, "questions")).content.decode()
    assert 'value="add:stars"' in page
    added = admin.post(edit(campaign, "questions"), fields_of_editor(page) | {"action": "add:stars"})
    page = added.content.decode()
    assert [words for words in ("Most stars", "Shape of a star", "Five points", "Of David") if words not in page] == []
    form = fields_of_editor(page) | {"q1-set-most": "4", "q1-set-shape": "six_points"}
    assert (
        "Stars of 1" in admin.post(reverse("campaign-preview-questions", args=[campaign.slug]), form).content.decode()
    )
    assert admin.post(edit(campaign, "questions"), form).status_code == 302
    (question,) = section_content(Campaign.objects.get(), "questions")
    assert (question["type"], question["settings"]) == ("stars", {"most": 4, "shape": "six_points", "wording": 1})


def test_a_dropped_type_is_sent_on_the_round_trip_of_every_type(dropped, monkeypatch):
    assert [name for name in every_case() if "stars" in name] == ["stars"]
    cases = cases_of("stars")
    trips = travel(cases, monkeypatch)
    assert len(trips["stars"]) == 2
    for check in CHECKS:
        check(cases["stars"], trips["stars"])


def test_control_a_case_that_says_otherwise_fails_on_its_way(dropped, monkeypatch):
    cases = cases_of("stars")
    wrong = replace(cases["stars"], measure={0: 0.0, 1: 5.0, 2: 3.0})
    trips = travel(cases, monkeypatch)
    with pytest.raises(AssertionError):
        ranking_reads_it_by_who_was_shown_where(wrong, trips["stars"])


def test_a_dropped_folder_is_asked_answered_read_and_exported(dropped):
    campaign = make_campaign(questions=[{"name": "shine", "type": "stars", "settings": {"most": 5}}])
    make_item(campaign, texts=("First.", "Second.", "Third."))
    client, user, now = Client(), make_user(), timezone.now()
    client.force_login(user)
    person = person_of_user(user=user, now=now)
    enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.ANNOTATOR, now=now)
    page = client.get(f"/annotate/{campaign.slug}/item").content.decode()
    assert "Stars of 2" in page
    address = re.search(r'action="(/annotate/[^"]*/items/\d+)"', page)[1]
    refused = client.post(address, fields(page) | {"shine.0": "5"})
    assert (refused.status_code, "Give stars to each response." in refused.content.decode()) == (422, True)
    page = refused.content.decode()
    given = {"shine.0": "5", "shine.1": "0", "shine.2": "3"}
    assert client.post(address, fields(page) | given).status_code == 302
    judgment = Judgment.objects.get()
    assert (judgment.answers, judgment.scores) == ({"shine": {"stars": [5, 0, 3], "most": 5}}, [5.0, 0.0, 3.0])

    folder = version_folder(build(campaign, views=("votes",)))
    (row,) = [row for path in (folder / "votes").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    (line,) = [line for path in (folder / "votes").glob("*.jsonl") for line in path.read_text().splitlines()]
    expected = {"scores": [5.0, 0.0, 3.0], "shine__stars": [5, 0, 3], "shine__stars_most": 5}
    assert {name: row[name] for name in expected} == {name: json.loads(line)[name] for name in expected} == expected
    assert "- `shine__stars` (list of whole number): stars of each response." in (folder / "README.md").read_text()

    (measure,) = read_measures(
        standing_judgments(campaign), instrument_questions(campaign.instrument_id), instrument=campaign.instrument_id
    )
    by_position = dict(zip(judgment.order, judgment.scores, strict=True))
    assert dict(zip((measure.unit - measure.unit.min()).tolist(), measure.value.tolist(), strict=True)) == by_position


def test_simulated_people_answer_a_dropped_type(dropped):
    campaign = make_campaign(questions=[{"name": "shine", "type": "stars"}])
    models = [make_contestant(campaign, name) for name in ("alpha", "beta")]
    simulate_judgments(campaign=campaign, contestants=models, judgments=4, seed=1, now=timezone.now())
    assert {star for scores in Judgment.objects.values_list("scores", flat=True) for star in scores} <= {0.0, 3.0}
    assert Judgment.objects.count() == 4


def test_the_keys_of_an_item_know_no_type_by_name():
    """A type says in its own template what its keys act on."""
    script = (Path(settings.BASE_DIR) / "static/annotation/work_keys.js").read_text()
    own = {word for slug in all_types() for word in re.findall(rf"data-{slug}\b|\.{slug}_", script)}
    assert own == set()
