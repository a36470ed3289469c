"""A board of a slice holds the judgments that its fields choose, says so, and is rebuilt from the log."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from annotation.boards import UnknownSlice, canonical_json, sliced
from annotation.boards.slices import FIELDS
from annotation.boards.wording import board_sentence
from annotation.models import FollowUp, Judgment, LiveBoard, Prompt
from annotation.queries import last_sequence
from annotation.queries.log import board_judgments
from annotation.use_cases import advance_board as advancing
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.change_groups import change_groups
from annotation.use_cases.refresh_board import rebuild
from annotation.use_cases.verify_log import verify_log
from tests.annotation.boards.factories import imported, judge, make_board, refreshed, three
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_respondent

pytestmark = pytest.mark.django_db(transaction=True)


def chosen(campaign, slice):
    number_log()
    rows = board_judgments(campaign, slice, last_sequence=last_sequence(), retired=[])
    return list(rows.values_list("pk", flat=True))


def test_each_field_chooses_its_judgments_and_several_are_met_together():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    nurse = make_respondent(campaign)
    change_groups(respondent_id=nurse.pk, groups=["nurses"], actor=None, now=timezone.now())
    one = judge(campaign, ada, bea, respondent=nurse)
    two, three_turns = judge(campaign, bea, cleo), judge(campaign, ada, cleo, choice="tie")
    for judgment, turns in ((two, [1]), (three_turns, [1, 2])):
        for number in turns:
            FollowUp.objects.create(item=judgment.item, number=number, messages=[])
    Prompt.objects.filter(items=one.item).update(length="short")
    Prompt.objects.filter(items=two.item).update(length="very_long")
    day, next_day = (timezone.now().date() + timedelta(days=days) for days in (0, 1))
    all_of_them = [one.pk, two.pk, three_turns.pk]
    expected = [
        ({}, all_of_them),
        ({"turns": "1"}, [one.pk]),
        ({"turns": "2"}, [two.pk]),
        ({"turns": "3+"}, [three_turns.pk]),
        ({"length": "short"}, [one.pk, three_turns.pk]),
        ({"length": "medium"}, []),
        ({"length": "very_long", "turns": "2"}, [two.pk]),
        ({"ties": "without"}, [one.pk, two.pk]),
        ({"group": "nurses"}, [one.pk]),
        ({"group": "doctors"}, []),
        ({"output": "text"}, all_of_them),
        ({"output": "image"}, []),
        ({"from": day.isoformat(), "to": next_day.isoformat()}, all_of_them),
        ({"to": day.isoformat()}, []),
        ({"from": next_day.isoformat()}, []),
        ({"ties": "without", "turns": "2", "group": "nurses"}, []),
        ({"ties": "without", "turns": "1", "group": "nurses"}, [one.pk]),
    ]
    assert [(slice, chosen(campaign, slice)) for slice, _ in expected] == expected


def test_a_day_begins_at_midnight_utc_and_belongs_to_the_window_that_begins_with_it():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    pk = judge(campaign, ada, bea).pk
    number_log()
    rows = Judgment.objects.filter(pk=pk)
    then = rows.get().submitted_at.astimezone(UTC)
    midnight = datetime(then.year, then.month, then.day, tzinfo=UTC)
    before, after = (str(sliced(rows, {name: then.date().isoformat()}).query) for name in ("to", "from"))
    assert f'"submitted_at" < {midnight}' in before
    assert f'"submitted_at" >= {midnight}' in after


def test_imported_votes_without_a_date_are_in_no_window(tmp_path):
    board = imported(tmp_path, "ada,bea,a\nbea,cleo,b\n").board
    assert (len(chosen(board.campaign, {})), len(chosen(board.campaign, {"from": "2000-01-01"}))) == (2, 0)


@pytest.mark.parametrize(
    ("slice", "says"),
    [
        ({"respondent__person__user__password": "x"}, "respondent__person__user__password"),
        ({"turns": "4"}, "turns cannot be '4': it is one of 1, 2, 3+"),
        ({"turns": ["1"]}, "turns cannot be"),
        ({"from": "2026-02-30"}, "from cannot be '2026-02-30': it is a day"),
        ({"from": "20260201"}, "from cannot be"),
        ({"from": "2026-02-02", "to": "2026-02-02"}, "to 2026-02-02 is not after from 2026-02-02"),
        ({"excluded": "without"}, "excluded cannot be"),
        ({"ties": None}, "ties cannot be None"),
        ({"group": ""}, "group cannot be ''"),
        ({"flags": "hard"}, "flags cannot be 'hard': it is a list"),
    ],
)
def test_an_unknown_field_or_value_is_refused_by_its_name(slice, says):
    with pytest.raises(UnknownSlice) as refused:
        make_board(make_campaign(), slice=slice)
    assert says in str(refused.value)


def test_the_sentence_says_every_part_that_a_slice_is():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    judge(campaign, ada, bea)
    part = {"turns": "1", "to": "2100-01-02", "ties": "without", "excluded": "with"}
    standings = refreshed(make_board(campaign, slice=part)).standings
    assert board_sentence(standings, part).removeprefix(board_sentence(standings)) == (
        " A part of the whole: conversations of one turn, judgments before 2 January 2100 (UTC), judgments that see a"
        " difference and also the votes of people who were blocked, which other boards leave out."
    )
    examples = {
        "category": "x",
        "flags": ["x"],
        "language": "x",
        "group": "x",
        "from": "2026-01-01",
        "to": "2026-01-02",
    }
    for name, field in FIELDS.items():
        for value in field.values or [examples[name]]:
            assert field.check(value)
            assert field.words(value) in board_sentence(standings, {name: value})


def blocked_and_lifted():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    rogue = make_respondent(campaign)
    judge(campaign, ada, bea), judge(campaign, bea, cleo), judge(campaign, cleo, ada)
    judge(campaign, cleo, bea, respondent=rogue)
    boards = make_board(campaign), make_board(campaign, slice={"excluded": "with"})
    yield boards
    block_respondent(respondent_id=rogue.pk, reason="a robot", actor=None, now=timezone.now())
    yield boards
    unblock_respondent(respondent_id=rogue.pk, reason="a person", actor=None, now=timezone.now())
    yield boards
    judge(campaign, bea, ada)
    yield boards


def followed(board):
    """Whether the counts that follow the log are those of the whole of it."""
    number_log()
    advance_board(board_id=board.pk, now=timezone.now())
    return advancing.compare_live(LiveBoard.objects.get(board=board))


def test_a_board_with_excluded_votes_keeps_what_a_block_takes_and_counts_nothing_twice_when_it_is_lifted():
    counts, snapshots, wrong = [], [], []
    for boards in blocked_and_lifted():
        wrong += [followed(board) for board in boards]
        snapshots += [snapshot for board in boards if (snapshot := refreshed(board))]
        counts.append([board.snapshots.order_by("-number").first().judgments for board in boards])
    assert counts == [[4, 4], [3, 4], [4, 4], [5, 5]]
    assert set(wrong) == {None}
    assert [canonical_json(rebuild(each)) == canonical_json(each.standings) for each in snapshots] == [True] * len(
        snapshots
    )
    assert verify_log(now=timezone.now()).problems == []


def test_control_where_what_stays_is_taken_off_like_all_else_the_counts_are_wrong(monkeypatch):
    monkeypatch.setattr(advancing, "with_excluded", lambda slice: False)
    wrong = [followed(boards[1]) for boards in blocked_and_lifted()]
    assert wrong[0] is None
    assert "do not follow from the log" in wrong[1]


def test_a_snapshot_of_a_group_is_rebuilt_with_who_was_in_it_then():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    people = [make_respondent(campaign) for _ in range(3)]
    for person, groups in zip(people, (["nurses"], ["nurses"], []), strict=True):
        change_groups(respondent_id=person.pk, groups=groups, actor=None, now=timezone.now())
    for person, (better, worse) in zip(people, ((ada, bea), (bea, cleo), (cleo, ada)), strict=True):
        judge(campaign, better, worse, respondent=person)
    board = make_board(campaign, slice={"group": "nurses"})
    first = refreshed(board)
    first.refresh_from_db()
    change_groups(respondent_id=people[0].pk, groups=["doctors"], actor=None, now=timezone.now())
    change_groups(respondent_id=people[0].pk, groups=[], actor=None, now=timezone.now())
    change_groups(respondent_id=people[2].pk, groups=["nurses"], actor=None, now=timezone.now())
    assert canonical_json(rebuild(first)) == canonical_json(first.standings)
    second = refreshed(board)
    assert (first.judgments, second.judgments) == (2, 2)
    assert first.digest != second.digest
