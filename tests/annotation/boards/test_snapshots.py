"""Snapshots are numbered, one after the other, and each can be computed again from the log, byte for byte."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.boards import CODE_VERSION, canonical_json, digest_of, plain
from annotation.models import Contestant, LeaderboardSnapshot, Source
from annotation.queries import latest_snapshot, readable_snapshot
from annotation.tasks import bring_boards_up
from annotation.use_cases import refresh_board as module
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.read_board import read_board
from annotation.use_cases.refresh_board import BoardBusy, rebuild, refresh_board
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.retire_simulations import restore_simulations, retire_simulations
from annotation.use_cases.retire_source import retire_source
from annotation.use_cases.simulate_judgments import simulate_judgments
from annotation.use_cases.verify_log import verify_log
from tests.annotation.boards.factories import judge, make_board, refreshed, three
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_contestant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_looked_at(monkeypatch):
    """Nothing is remembered, and no board rests after it was computed."""
    cache.clear()
    monkeypatch.setattr("annotation.use_cases.refresh_boards.REST", 0)


def voted_board():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    for better, worse in ((ada, bea), (bea, cleo), (ada, cleo), (cleo, ada)):
        judge(campaign, better, worse, amount="2.00")
    return make_board(campaign), (ada, bea, cleo)


def simulated_board():
    campaign = make_campaign()
    board = make_board(campaign)
    contestants = list(three(campaign))
    simulate_judgments(campaign=campaign, contestants=contestants, judgments=120, seed=5, now=timezone.now())
    return board, contestants


def test_a_snapshot_is_written_when_something_changed_and_only_then():
    board, (ada, bea, _) = voted_board()
    first = refreshed(board)
    assert refreshed(board) is None
    judge(board.campaign, bea, ada)
    second = refreshed(board)
    assert [(s.number, s.last_sequence, s.judgments, s.method) for s in (first, second)] == [
        (1, 4, 4, "bradley_terry"),
        (2, 5, 5, "bradley_terry"),
    ]
    assert first.digest != second.digest == digest_of(second.standings)


def test_votes_elsewhere_do_not_move_a_board():
    board, _ = voted_board()
    refreshed(board)
    other, _ = voted_board()
    assert refreshed(board) is None
    assert refreshed(other).number == 1


def test_canonical_json_has_sorted_keys_rounded_numbers_and_no_number_that_is_none():
    value = plain({2: [1.0000004, -0.0000001], "a": (float("nan"), float("inf"), None, True), "b": "µ"})
    assert canonical_json(value) == '{"2":[1.0,0.0],"a":[null,null,null,true],"b":"µ"}'


def test_what_the_database_keeps_has_the_digest_of_what_was_computed():
    board, _ = simulated_board()
    snapshot = refreshed(board)
    snapshot.refresh_from_db()
    assert digest_of(snapshot.standings) == snapshot.digest


def test_an_old_snapshot_is_rebuilt_whatever_happened_since():
    board, (ada, bea, _) = voted_board()
    simulated = simulate_judgments(
        campaign=board.campaign, contestants=[ada, bea], judgments=60, seed=9, now=timezone.now()
    )
    first = refreshed(board)
    retire_source(source_id=simulated.pk, actor=None, reason="over", now=timezone.now())
    second = refreshed(board)
    somebody = board.campaign.judgments.earliest("pk").respondent_id
    block_respondent(respondent_id=somebody, reason="at random", actor=None, now=timezone.now())
    judge(board.campaign, ada, bea)
    third = refreshed(board)
    Contestant.objects.filter(pk=ada.pk).update(name="renamed")
    Contestant.objects.filter(pk=bea.pk).update(merged_into=ada)
    for snapshot in (first, second, third):
        snapshot.refresh_from_db()
        assert canonical_json(rebuild(snapshot)) == canonical_json(snapshot.standings)
    assert [s.judgments for s in (first, second, third)] == [64, 4, 4]


def test_retired_simulations_leave_the_next_snapshot_and_come_back_as_they_were():
    board, contestants = simulated_board()
    judge(board.campaign, contestants[0], contestants[1])
    before = refreshed(board)
    assert retire_simulations(campaign=board.campaign, actor=None, reason="real votes", now=timezone.now()) == 1
    without = board.snapshots.get(number=2)
    assert (before.standings["simulated_share"], without.standings["simulated_share"]) == (round(120 / 121, 6), 0.0)
    assert [e["simulated_share"] for e in without.standings["entries"]] == [0.0, 0.0]
    assert (without.judgments, without.retired_sources) == (
        1,
        list(Source.objects.filter(kind="simulation").values_list("pk", flat=True)),
    )
    assert restore_simulations(campaign=board.campaign, actor=None, reason="shown again", now=timezone.now()) == 1
    assert board.snapshots.get(number=3).digest == before.digest


def test_the_log_verifies_with_its_boards():
    voted_board()
    board, _ = simulated_board()
    refreshed(board)
    assert verify_log(now=timezone.now()).problems == []
    call_command("verify_log")


def tamper(statement: str, *values: Any) -> None:
    """What no role of the application may do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)


def test_control_a_changed_snapshot_does_not_verify():
    board, _ = voted_board()
    snapshot = refreshed(board)
    changed = snapshot.standings | {"entries": snapshot.standings["entries"][::-1]}
    text = canonical_json(changed)
    tamper("UPDATE annotation_leaderboardsnapshot SET standings = %s", text)
    assert verify_log(now=timezone.now()).problems == [f"board {board.slug}, snapshot 1 does not match its digest"]
    tamper("UPDATE annotation_leaderboardsnapshot SET digest = %s", digest_of(changed))
    assert verify_log(now=timezone.now()).problems == [f"board {board.slug}, snapshot 1 does not follow from the log"]
    with pytest.raises(CommandError):
        call_command("verify_log")


def test_control_a_changed_judgment_breaks_the_chain_and_the_board():
    board, _ = voted_board()
    refreshed(board)
    tamper("UPDATE annotation_judgment SET preference = 'tie', net_utility = 0 WHERE preference <> 'tie'")
    problems = verify_log(now=timezone.now()).problems
    assert problems[1:] == [f"board {board.slug}, snapshot 1 does not follow from the log"]
    assert problems[0].startswith("entry 1 ")


def refresh_twice_at_once(board, monkeypatch):
    """Two that compute at the same moment, if they can; the numbers and errors that come of it."""
    number_log()
    barrier, compute, ends = threading.Barrier(2), module.compute_standings, []

    def meet(*args, **values):
        computed = compute(*args, **values)
        try:
            barrier.wait(2)
        except threading.BrokenBarrierError:
            ends.append("alone")
        return computed

    def refresh():
        try:
            written = refresh_board(board_id=board.pk, now=timezone.now())
            ends.append(written.number if written else None)
        except IntegrityError:
            ends.append("twice the same number")
        finally:
            connections.close_all()

    monkeypatch.setattr(module, "compute_standings", meet)
    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ends


def test_two_refreshes_at_once_write_one_snapshot(monkeypatch):
    board, _ = voted_board()
    ends = refresh_twice_at_once(board, monkeypatch)
    assert sorted(ends, key=str) == [1, None, "alone", "alone"]


def test_control_without_the_lock_both_compute_the_same_number(monkeypatch):
    board, _ = voted_board()
    monkeypatch.setattr(module, "advisory_lock", lambda name: transaction.atomic())
    ends = refresh_twice_at_once(board, monkeypatch)
    assert sorted(ends, key=str) == [1, "twice the same number"]


def test_a_busy_board_is_left_to_who_computes_it():
    board, _ = voted_board()
    refused = []

    def other():
        try:
            refresh_board(board_id=board.pk, now=timezone.now(), wait=False)
        except BoardBusy:
            refused.append(refresh_boards(now=timezone.now()))
        finally:
            connections.close_all()

    with transaction.atomic():
        refresh_board(board_id=board.pk, now=timezone.now())
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert refused == [0]


def test_the_task_moves_the_boards_that_have_news():
    first, (ada, bea, _) = voted_board()
    second, _ = voted_board()
    number_log()
    bring_boards_up()
    judge(first.campaign, ada, bea)
    number_log()
    bring_boards_up()
    assert [(s.board_id, s.number) for s in LeaderboardSnapshot.objects.order_by("board_id", "number")] == [
        (first.pk, 1),
        (first.pk, 2),
        (second.pk, 1),
    ]


def test_a_retired_source_is_news():
    simulated_board()
    number_log()
    assert refresh_boards(now=timezone.now()) == 1
    retire_source(source_id=Source.objects.get(kind="simulation").pk, actor=None, reason="over", now=timezone.now())
    assert (refresh_boards(now=timezone.now()), refresh_boards(now=timezone.now())) == (1, 0)


def shape(value: Any) -> Any:
    """Names and kinds of what standings hold; of a list its first entry stands for all."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in sorted(value.items()) if not name.isdigit()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_standings_of_another_shape_are_another_version():
    """Pages show only snapshots of their own version, so what changes here must raise CODE_VERSION too."""
    board, _ = voted_board()
    assert (CODE_VERSION, digest_of(shape(refreshed(board).standings))) == (
        "4",
        "913a03238468296775e7299b1705ed9b5df1263f03f60b5359832aa01bffabde",
    )


def test_a_snapshot_of_another_version_is_not_shown_and_soon_replaced():
    board, _ = voted_board()
    standings = {"shape": "of old"}
    old = LeaderboardSnapshot.objects.create(
        board=board,
        number=1,
        method=board.method,
        code_version="0",
        slice={},
        last_sequence=4,
        retired_sources=[],
        judgments=4,
        standings=standings,
        digest=digest_of(standings),
    )
    assert (readable_snapshot(board), latest_snapshot(board)) == (None, old)
    assert read_board(slug=board.slug, now=timezone.now())["number"] is None
    assert refreshed(board).number == 2
    assert readable_snapshot(board).number == 2


def test_the_same_standings_of_another_version_are_a_snapshot_of_their_own(monkeypatch):
    board, _ = voted_board()
    first = refreshed(board)
    monkeypatch.setattr(module, "CODE_VERSION", "next")
    second = refreshed(board)
    assert (second.digest, second.code_version) == (first.digest, "next")
    assert refreshed(board) is None


def test_other_arithmetic_is_news_once(monkeypatch):
    board, _ = voted_board()
    number_log()
    refresh_boards(now=timezone.now())
    monkeypatch.setattr("annotation.use_cases.refresh_boards.CODE_VERSION", "next")
    computed = []
    monkeypatch.setattr(
        "annotation.use_cases.refresh_boards.refresh_board", lambda **values: computed.append(values["board_id"])
    )
    refresh_boards(now=timezone.now())
    refresh_boards(now=timezone.now())
    assert computed == [board.pk]


def test_where_nothing_happened_a_look_costs_four_queries():
    for _ in range(3):
        voted_board()
    number_log()
    refresh_boards(now=timezone.now())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert refresh_boards(now=timezone.now()) == 0
    assert len(queries) == 4, [query["sql"] for query in queries]


def test_a_board_that_fails_does_not_hold_the_others_up():
    broken, _ = voted_board()
    type(broken).objects.filter(pk=broken.pk).update(slice={"moon": "full"})
    fine, _ = voted_board()
    number_log()
    assert refresh_boards(now=timezone.now()) == 1
    assert list(LeaderboardSnapshot.objects.values_list("board_id", flat=True)) == [fine.pk]
    type(broken).objects.filter(pk=broken.pk).update(slice={})
    assert refresh_boards(now=timezone.now() + timedelta(seconds=2)) == 1


def test_a_late_vote_on_a_contestant_that_is_new_joins_the_board():
    board, (ada, _, _) = voted_board()
    refreshed(board)
    judge(board.campaign, make_contestant(board.campaign, "dora"), ada)
    assert [e["model"] for e in refreshed(board).standings["entries"] if e["votes"] == 1] == ["dora"]
