"""Nothing that reads what people say reads a model judge, unless it is asked to."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.boards import compute_standings, sliced
from annotation.datasets.previews import makes_pairs, offers, preview
from annotation.enums import JudgedBy, RespondentKind, SourceKind, SourceState
from annotation.models import Board, Campaign, LeaderboardSnapshot, LiveBoard, PairCount, Respondent, Source
from annotation.queries import standing_answers, standing_judgments
from annotation.queries.batches import judgments_in
from annotation.queries.campaigns import progress_of as tallies_of
from annotation.queries.costs import money_of
from annotation.queries.figures import Evidence
from annotation.queries.gold import liked
from annotation.queries.items import judgments_of
from annotation.queries.log import judgments_in_slice, large_enough, set_apart
from annotation.queries.methods import votes_of
from annotation.queries.pairs import learn
from annotation.queries.people import campaign_people, groups_in_use
from annotation.queries.quality import groups, progress_of, summarised
from annotation.queries.reviews import Wanted, others_on, queue_of
from annotation.queries.said import look_for
from annotation.queries.summaries import summary_to_json
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.refresh_board import rebuild, refresh_board, standings_of
from annotation.use_cases.retire_source import restore_source, retire_source
from annotation.use_cases.submit_work import ask_more_where_people_disagree
from tests.annotation.datasets.rows import judge, rows_of, scope_of
from tests.annotation.judging.planted import plant_judge, plant_verdicts
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_contestant, make_item, make_person

pytestmark = pytest.mark.django_db

NOW = timezone.now()
APPS = ("annotation", "arena", "config")
READS = re.compile(r"board_judgments\(|standing_judgments\(|standing_answers\(|Judgment\.objects|annotation_judgment\b")


def _summary(campaign: Campaign) -> Any:
    """What was computed, without the entry up to which the log was read: a judge's is an entry too."""
    return summary_to_json(replace(summarised(campaign, NOW), sequence=0))


def _standings(campaign: Campaign) -> Any:
    board = Board.objects.get(campaign=campaign)
    return standings_of(board, last=10**9, retired=[])


def _snapshot(campaign: Campaign) -> LeaderboardSnapshot:
    """Of all that was said, nothing computed."""
    of = {"last_sequence": 10**9, "created_at": timezone.now(), "standings": {"entries": []}}
    board = Board.objects.get(campaign=campaign)
    return LeaderboardSnapshot(board=board, slice={}, retired_sources=[], **of)


def _figures(campaign: Campaign) -> Any:
    """What is kept for the readers of a busy board is read anew."""
    cache.clear()
    found = Evidence(Board.objects.get(campaign=campaign), _snapshot(campaign))
    return found.days, found.undated, found.strengths


def _batch(campaign: Campaign) -> Any:
    with transaction.atomic():
        batch = make_batch(campaign_id=campaign.pk, actor=make_person(), now=NOW)
        found = sorted(judgments_in(batch).values_list("pk", flat=True))
        transaction.set_rollback(True)
    return found


def _rows(campaign: Campaign, view: str, **filters: Any) -> Any:
    return rows_of(scope_of(campaign, **filters), view)


def _points(campaign: Campaign) -> Any:
    """Added to what was counted before, and counted from nothing."""
    found = []
    for board in Board.objects.filter(campaign=campaign).order_by("pk"):
        advance_board(board_id=board.pk, now=NOW)
        live = LiveBoard.objects.get(board=board)
        found.append((live.points, live.comparisons))
        with transaction.atomic():
            live.delete()
            PairCount.objects.filter(board=board).delete()
            advance_board(board_id=board.pk, now=NOW)
            live = LiveBoard.objects.get(board=board)
            found.append((live.points, live.comparisons))
            transaction.set_rollback(True)
    return found


def _asks_more(campaign: Campaign) -> Any:
    with transaction.atomic():
        slots = [ask_more_where_people_disagree(item) is not None for item in campaign.items.order_by("pk")]
        transaction.set_rollback(True)
    return slots


# By the file in which judgments are read: what a page, a file or a decision makes of a campaign's.
CONSUMERS: dict[str, Callable[[Campaign], Any]] = {
    "annotation/datasets/previews.py": lambda c: (
        [offer.judgments for offer in offers() if offer.campaign == c],
        makes_pairs(c),
        preview(scope_of(c), ["votes"]),
    ),
    "annotation/datasets/scope.py": lambda c: (
        _rows(c, "votes"),
        _rows(c, "preference_pairs"),
        _rows(c, "reward_pairs"),
    ),
    "annotation/queries/costs.py": money_of,
    "annotation/queries/figures.py": _figures,
    "annotation/queries/gold.py": lambda c: (liked(c, "best"), liked(c, "acceptable")),
    "annotation/queries/items.py": lambda c: [judgments_of(item) for item in c.items.order_by("pk")],
    "annotation/queries/log.py": lambda c: (
        list(standing_judgments(c).values_list("pk", flat=True)),
        list(standing_judgments(c, sources=c.sources.values_list("pk", flat=True)).values_list("pk", flat=True)),
        list(standing_answers(c, numbered=False).values_list("pk", flat=True)),
        large_enough(c, least=2, most=20),
        judgments_in_slice(c, {"turns": "1"}),
        set_apart(c, last_sequence=10**9, retired=[]),
    ),
    "annotation/queries/methods.py": lambda c: sorted(votes_of(_snapshot(c)).values_list("pk", flat=True)),
    "annotation/queries/pairs.py": lambda c: learn(c).packed(),
    "annotation/queries/quality.py": lambda c: (progress_of(c, NOW), _summary(c), groups(c)),
    "annotation/queries/reviews.py": lambda c: (
        queue_of(c, Wanted(), None).ids,
        [[other.judgment.pk for other in others_on(item.pk, order=[0, 1])] for item in c.items.order_by("pk")],
    ),
    "annotation/queries/said.py": lambda c: look_for(c, ""),
    "annotation/queries/people.py": lambda c: (list(campaign_people(c)), groups_in_use(c)),
    "annotation/queries/campaigns.py": tallies_of,
    "annotation/use_cases/advance_board.py": _points,
    "annotation/use_cases/make_batch.py": _batch,
    "annotation/use_cases/refresh_board.py": _standings,
    "annotation/use_cases/submit_work.py": _asks_more,
}
# What reads judgments of one respondent, of one assignment, of one judgment or of a batch, none of which a judge has;
# or everything there is, whoever said it.
OF_ONE = {
    "annotation/datasets/withdrawn.py": "of respondents who withdrew",
    "annotation/queries/audit.py": "everything that was done to an item",
    "annotation/queries/batches.py": "of a batch, which `make_batch` fills",
    "annotation/queries/earnings.py": "of an assignment, by kinds that are paid",
    "annotation/queries/history.py": "of one annotator",
    "annotation/queries/sessions.py": "of one respondent, or with an assignment",
    "annotation/queries/tasks.py": "of one respondent",
    "annotation/simulation/dry_run.py": "of a simulation",
    "annotation/simulation/report.py": "of a simulation",
    "annotation/use_cases/accept_batch.py": "of a batch",
    "annotation/use_cases/accrue_fees.py": "of an assignment, by kinds that are paid",
    "annotation/use_cases/block_respondent.py": "of one respondent",
    "annotation/use_cases/correct_judgment.py": "one judgment",
    "annotation/use_cases/expire_assignments.py": "of an assignment",
    "annotation/use_cases/hold_review.py": "one judgment",
    "annotation/use_cases/offer_break.py": "of one respondent",
    "annotation/use_cases/put_back_judgment.py": "one judgment",
    "annotation/use_cases/return_batch.py": "of a batch",
    "annotation/use_cases/sequence_log.py": "every row of the log",
    "annotation/use_cases/simulate_judgments.py": "writes its own",
    "annotation/use_cases/submit_judgment.py": "of one respondent",
    "annotation/use_cases/supersede_judgment.py": "one judgment",
    "annotation/use_cases/undo_judgment.py": "one judgment",
    "annotation/use_cases/verify_log.py": "every row of the log",
    "annotation/use_cases/void_item.py": "all of an item: a void one is out for judges too",
    "annotation/web/own_answers.py": "of one respondent",
    "annotation/web/review_page.py": "one judgment",
    "arena/queries/__init__.py": "of one visitor",
    "arena/queries/appeals.py": "of one visitor",
    "arena/queries/conversations.py": "of one visitor's battle",
    "arena/queries/own.py": "of one visitor",
    "arena/queries/own_conversations.py": "of one visitor",
    "arena/queries/own_holdings.py": "of one person",
    "arena/queries/shared.py": "of one battle's visitor",
    "arena/use_cases/continue_battle.py": "of one visitor's battle",
    "config/launch/backups.py": "every row of the log",
}


@pytest.fixture
def campaign() -> Campaign:
    """People have judged every item once; a second slot of each is open, and a third wanted where they disagree."""
    made = make_campaign()
    Campaign.objects.filter(pk=made.pk).update(overlap_limit=3, pay_per_judgment="0.10")
    made.refresh_from_db()
    Board.objects.create(slug="all", name="All", campaign=made)
    models = [make_contestant(made, "alpha"), make_contestant(made, "beta")]
    for prefer in (0, 0, 1, "tie"):
        item = make_item(made, contestants=models)
        judge(item, prefer, strength=None)
    number_log()
    return made


def plant(campaign: Campaign) -> Source:
    """A judge who says the opposite of everybody, about everything, in both orders."""
    source, respondents = plant_judge(campaign)
    for item in campaign.items.order_by("pk"):
        plant_verdicts(campaign, respondents, item, first="b")
    number_log()
    return source


def read_all(campaign: Campaign) -> dict[str, Any]:
    return {name: consumer(campaign) for name, consumer in CONSUMERS.items()}


def test_every_reader_of_judgments_is_a_consumer_here_or_reads_what_no_judge_has():
    root = Path(settings.BASE_DIR)
    files = {
        str(path.relative_to(root))
        for app in APPS
        for path in (root / app).rglob("*.py")
        if not {"migrations", "tests"} & set(path.parts) and READS.search(path.read_text())
    }
    asks = {"annotation/queries/judged.py", "annotation/use_cases/note_verdict.py"}
    # Not by these patterns: tallies of slots, and respondents.
    told = {*CONSUMERS, *OF_ONE} - {"annotation/queries/people.py", "annotation/queries/campaigns.py"}
    assert files - asks - {*CONSUMERS} - {*OF_ONE} == set()
    assert told - files == set()


def test_no_consumer_sees_a_judge(campaign):
    before = read_all(campaign)
    plant(campaign)
    after = read_all(campaign)
    assert [name for name in CONSUMERS if before[name] != after[name]] == []


def test_control_a_judge_in_an_active_source_is_seen_by_nearly_every_consumer(campaign):
    before = read_all(campaign)
    source = plant(campaign)
    Source.objects.filter(pk=source.pk).update(kind=SourceKind.SIMULATION, state=SourceState.ACTIVE)
    Respondent.objects.filter(source=source).update(kind=RespondentKind.SIMULATED)
    after = read_all(campaign)
    # Money and people go by respondents who are paid, tallies by slots, words by texts: a judge has none of them.
    blind = {"costs.py", "people.py", "campaigns.py", "said.py"}
    assert {Path(name).name for name in CONSUMERS if before[name] == after[name]} == blind


def counted_beside_a_judge(campaign):
    """One prompt has a category, and one judgment by a person."""
    campaign.items.filter(pk=campaign.items.order_by("pk").first().pk).update(category="code")
    source = plant(campaign)
    assert large_enough(campaign, least=1, most=1) == [{"category": "code"}]
    return source


def test_what_a_judge_says_makes_no_slice_large_enough(campaign):
    counted_beside_a_judge(campaign)
    assert large_enough(campaign, least=2, most=1) == []


def test_control_a_judge_in_an_active_source_makes_a_slice_large_enough(campaign):
    source = counted_beside_a_judge(campaign)
    Source.objects.filter(pk=source.pk).update(kind=SourceKind.SIMULATION, state=SourceState.ACTIVE)
    assert large_enough(campaign, least=2, most=1) == [{"category": "code"}]


def test_a_snapshot_of_before_a_judge_is_computed_again_byte_for_byte(campaign):
    board = Board.objects.get(campaign=campaign)
    snapshot = refresh_board(board_id=board.pk, now=NOW)
    plant(campaign)
    assert rebuild(snapshot) == snapshot.standings
    assert refresh_board(board_id=board.pk, now=NOW) is None


def test_judges_are_read_where_they_are_asked_for(campaign):
    people = set(standing_judgments(campaign).values_list("pk", flat=True))
    plant(campaign)
    judges = set(standing_judgments(campaign, judged_by=JudgedBy.MODELS).values_list("pk", flat=True))
    both = set(standing_judgments(campaign, judged_by=JudgedBy.BOTH).values_list("pk", flat=True))
    assert (len(people), len(judges), both) == (4, 8, people | judges)
    rows, _dropped = _rows(campaign, "votes", judged_by="models")
    assert {row["respondent_kind"] for row in rows} == {"model_judge"}


def test_a_retired_judge_is_read_by_nobody_and_comes_back_apart(campaign):
    source = plant(campaign)
    retire_source(source_id=source.pk, actor=None, reason="test", now=NOW)
    assert not standing_judgments(campaign, judged_by=JudgedBy.MODELS).exists()
    assert restore_source(source_id=source.pk, actor=None, reason="test", now=NOW).state == SourceState.APART
    assert standing_judgments(campaign, judged_by=JudgedBy.MODELS).count() == 8


@pytest.mark.parametrize(("kind", "state"), [("judge", "active"), ("live", "apart"), ("import", "apart")])
def test_the_database_keeps_judges_apart(campaign, kind, state):
    with pytest.raises(IntegrityError, match="judges_stand_apart"), transaction.atomic():
        Source.objects.create(campaign=make_campaign(), kind=kind, state=state, name="x")


def test_no_judge_is_among_people_and_nobody_else_among_judges(campaign):
    source, _respondents = plant_judge(campaign)
    live = campaign.sources.get(kind=SourceKind.LIVE)
    for kind, where in (("model_judge", live), ("simulated", source)):
        with pytest.raises(IntegrityError, match="source of model judges"), transaction.atomic():
            Respondent.objects.create(campaign=campaign, kind=kind, source=where, pseudonym="x")


def test_standings_of_judges_alone_can_be_computed(campaign):
    plant(campaign)
    judged = standing_judgments(campaign, judged_by=JudgedBy.MODELS)
    standings = compute_standings(sliced(judged, {}), method="bradley_terry", seed=1, merged={})
    assert standings["people"]["judgments"] == 8
