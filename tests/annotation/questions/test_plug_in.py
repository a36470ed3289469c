"""A question type is a folder: dropped in, it is asked, answered, stored, read and exported; nothing else changes."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone

import annotation.questions
from accounts.use_cases.create_person import person_of_user
from annotation.boards.measures import read_measures
from annotation.datasets.folders import version_folder
from annotation.enums import RespondentKind
from annotation.models import Judgment
from annotation.queries import instrument_questions, standing_judgments
from annotation.questions import UnknownQuestionType, all_types, get_type
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.simulate_judgments import simulate_judgments
from tests.annotation.datasets.rows import build
from tests.annotation.work.test_pages import fields
from tests.factories import make_campaign, make_contestant, make_item, make_user

pytestmark = pytest.mark.django_db(transaction=True)

CODE = '''
from annotation.questions.base import Answer, Export, QuestionType
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import Refused
from annotation.questions.settings import whole_number


class StarsQuestion(QuestionType):
    """Raw: how many stars each response gets. Stored: the same and how many there are."""

    slug = "stars"
    label = "Stars"
    title = "How many stars?"
    settings = {"most": whole_number("Most stars", 3, 2, 5)}
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


@pytest.fixture
def dropped(tmp_path, settings, monkeypatch) -> Iterator[Path]:
    """A folder beside those of the house: found as they are, its template where theirs are."""
    folder = tmp_path / "questions" / "stars"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE)
    (folder / "ask.html").write_text(TEMPLATE)
    monkeypatch.setattr(annotation.questions, "__path__", [*annotation.questions.__path__, str(folder.parent)])
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [*engine["DIRS"], tmp_path]}]
    settings.MEDIA_ROOT = tmp_path / "media"
    all_types.cache_clear()
    yield folder
    shutil.rmtree(folder)
    sys.modules.pop("annotation.questions.stars", None)
    all_types.cache_clear()


def test_a_type_is_there_with_its_folder_and_gone_with_it(dropped):
    assert get_type("stars").label == "Stars"
    shutil.rmtree(dropped)
    all_types.cache_clear()
    with pytest.raises(UnknownQuestionType):
        get_type("stars")
    dropped.mkdir()


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
