"""The ways of answers through the form, the log, ranking and exports, and what must hold on each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.boards.measures import Measure, read_measures
from annotation.datasets.answers import log_columns
from annotation.datasets.folders import version_folder
from annotation.enums import RespondentKind
from annotation.models import Campaign, Judgment
from annotation.queries import instrument_questions, standing_judgments
from annotation.ratings import PREFERENCES, PairRows, read_pairs
from annotation.selection.draws import draw_order
from annotation.use_cases import next_assignment
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.publish_instrument import publish_instrument
from tests.annotation.datasets.rows import build
from tests.annotation.questions.cases import WORDS, Case, Shown, in_session
from tests.factories import PREFERENCE, make_campaign, make_item, make_user


@dataclass(frozen=True)
class Trip:
    """One judgment on its way: `pair` is None where the item has other than two responses."""

    question: str
    shown: Shown
    judgment: Judgment
    pair: dict[str, Any] | None
    measure: dict[int, float] | None
    parquet: dict[str, Any]
    line: dict[str, Any]


class Travellers:
    """Two people whose amounts are stated, and two who are paid; of each two one sees the sides the other way round."""

    def __init__(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        self.campaign = campaign
        self._monkeypatch = monkeypatch
        self._people = {incentive: [self._person(incentive) for _ in "ab"] for incentive in ("stated", "paid_self")}

    def answer(self, name: str, case: Case) -> list[Shown]:
        """Ask this question of an item of its own. The second person comes after the first."""
        question = {"name": name, "type": case.type, "settings": case.settings}
        publish_instrument(campaign_id=self.campaign.pk, questions=[*case.before, question], now=timezone.now())
        self.campaign.refresh_from_db()
        make_item(self.campaign, texts=case.texts, slots=len(case.orders))
        people = self._people[case.incentive]
        return [self._answer(name, case, order, *who) for order, who in zip(case.orders, people, strict=False)]

    def _person(self, incentive: str) -> tuple[Client, int]:
        client, user, now = Client(), make_user(), timezone.now()
        client.force_login(user)
        person = person_of_user(user=user, now=now)
        respondent = enrol_respondent(campaign=self.campaign, person=person, kind=RespondentKind.ANNOTATOR, now=now)
        in_session(self.campaign, respondent, incentive)
        return client, respondent.pk

    def _answer(self, name: str, case: Case, order: list[int], client: Client, respondent: int) -> Shown:
        """As a browser without script does it: the page's own inputs, and no others."""
        self._monkeypatch.setattr(next_assignment, "new_seed", lambda: seed_of(order))
        page = client.get(f"/annotate/{self.campaign.slug}/item").content.decode()
        address = re.search(r'action="(/annotate/[^"]*/items/\d+)"', page)
        assert address, f"{case.type}: no item"
        form = page[page.index('id="answer"') :]
        hidden = {each: re.search(rf'name="{each}" value="([^"]*)"', form)[1] for each in ("key", "lease_token")}
        shown = Shown(order, respondent)
        posted = {re.sub(r"^q(?=$|\.)", name, key): value for key, value in case.posts(shown).items()}
        assert [each for each in posted if f'name="{each}"' not in form] == []
        response = client.post(address[1], hidden | posted)
        assert response.status_code == 302, response.content.decode()
        return shown


def seed_of(order: list[int]) -> int:
    return next(seed for seed in range(10_000) if draw_order(len(order), seed=seed).order == order)


def travel(cases: Mapping[str, Case], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Trip]]:
    campaign = make_campaign(questions=[PREFERENCE])
    travellers = Travellers(campaign, monkeypatch)
    questions = {name: f"q{number}" for number, name in enumerate(cases)}
    shown = [(name, each) for name, case in cases.items() for each in travellers.answer(questions[name], case)]
    rows, lines = exported(campaign)
    trips: dict[str, list[Trip]] = {name: [] for name in cases}
    judgments = standing_judgments(campaign)
    for (name, each), judgment, row, line in zip(shown, judgments, rows, lines, strict=True):
        question = questions[name]
        given_with = judgments.filter(instrument=judgment.instrument_id)
        asked = [each for each in instrument_questions(judgment.instrument_id) if each.name == question]
        measures = read_measures(given_with, asked, instrument=judgment.instrument_id)
        pair = pair_of(read_pairs(judgments.filter(pk=judgment.pk), merged={}))
        trips[name].append(Trip(question, each, judgment, pair, measure_of(measures, judgment), row, line))
    return trips


def exported(campaign: Campaign) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of both kinds of files, in the log's order."""
    folder = version_folder(build(campaign, views=("votes",))) / "votes"
    assert [path.name for path in folder.iterdir() if WORDS.encode() in path.read_bytes()] == []
    rows = [row for path in folder.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    lines = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return sorted(rows, key=itemgetter("sequence")), sorted(lines, key=itemgetter("sequence"))


def pair_of(pairs: PairRows) -> dict[str, Any] | None:
    if not len(pairs):
        return None
    return {
        "sides": [pairs.contestants[pairs.a[0]], pairs.contestants[pairs.b[0]]],
        "preference": PREFERENCES[pairs.preference[0]],
        "amount": None if np.isnan(pairs.amount[0]) else float(pairs.amount[0]),
        "bounds": None if np.isnan(pairs.amount_low[0]) else (float(pairs.amount_low[0]), float(pairs.amount_high[0])),
        "acceptable_a": int(pairs.acceptable_a[0]),
        "acceptable_b": int(pairs.acceptable_b[0]),
    }


def measure_of(measures: list[Measure], judgment: Judgment) -> dict[int, float] | None:
    """What agreement reads of this judgment, by the response's position."""
    if not measures:
        return None
    (measure,) = measures
    own = measure.everyone[measure.respondent] == judgment.respondent_id
    positions = (measure.unit[own] - measure.unit.min()).tolist()
    return dict(zip(positions, measure.value[own].tolist(), strict=True))


def named(actual: Any, expected: Any) -> Any:
    """Of `actual` what `expected` names."""
    if isinstance(expected, dict):
        return {key: named(actual[key], value) for key, value in expected.items()}
    if isinstance(expected, list):
        assert len(actual) == len(expected)
        return [named(*both) for both in zip(actual, expected, strict=True)]
    return actual


def the_log_holds_the_answer_and_its_columns(case: Case, trips: list[Trip]) -> None:
    for trip in trips:
        assert trip.judgment.order == trip.shown.order
        expected = case.stored(trip.shown)
        assert named(trip.judgment.answers[trip.question], expected) == expected
        columns = {field.name: getattr(trip.judgment, field.name) for field in log_columns()}
        assert {name: value for name, value in columns.items() if value not in (None, "")} == case.columns(trip.shown)


def ranking_reads_it_by_who_was_shown_where(case: Case, trips: list[Trip]) -> None:
    for trip in trips:
        assert trip.measure == case.measure
        if trip.pair is not None:
            expected = {"preference": trip.judgment.preference, "sides": trip.judgment.contestants}
            nothing = {"amount": None, "bounds": None, "acceptable_a": -1, "acceptable_b": -1}
            assert trip.pair == nothing | expected | case.pairs(trip.shown)


def it_leaves_as_it_is_in_the_log(case: Case, trips: list[Trip]) -> None:
    for trip in trips:
        row = trip.parquet
        assert row["order"] == trip.shown.order
        assert json.loads(row["answers"]) == trip.judgment.answers
        logged = {field.name: getattr(trip.judgment, field.name) for field in log_columns()}
        assert {column: row[column] for column in logged} == {
            column: None if value == "" else value for column, value in logged.items()
        }
        own = {f"{trip.question}__{column}": value for column, value in case.exported(trip.shown).items()}
        before = {column for question in case.before for column in row if column.startswith(f"{question['name']}__")}
        others = {column: None for column in row.keys() - own.keys() - before if "__" in column}
        assert {column: value for column, value in row.items() if column in own | others} == own | others


def lines_say_what_parquet_says(case: Case, trips: list[Trip]) -> None:
    for trip in trips:
        assert trip.line == json.loads(json.dumps(trip.parquet, default=lambda moment: moment.isoformat()))


def swapped_sides_say_the_same_of_the_responses(case: Case, trips: list[Trip]) -> None:
    first, *others = trips
    for other in others:
        assert other.shown.order != first.shown.order
        assert other.measure == first.measure


CHECKS = (
    the_log_holds_the_answer_and_its_columns,
    ranking_reads_it_by_who_was_shown_where,
    it_leaves_as_it_is_in_the_log,
    lines_say_what_parquet_says,
    swapped_sides_say_the_same_of_the_responses,
)
