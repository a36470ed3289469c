"""Points follow every vote by counts that take what came and give back what went; a full fit says the same."""

import pytest
from django.utils import timezone

from annotation.models import Board, Contestant, Item, Judgment, LiveBoard, PairCount
from annotation.queries import latest_snapshot
from annotation.queries.live import HeldCounts
from annotation.tasks import number_judgments
from annotation.use_cases import advance_board as module
from annotation.use_cases.advance_board import advance_board, hold_to_snapshot
from annotation.use_cases.advance_boards import advance_boards
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.retire_source import restore_source, retire_source
from annotation.use_cases.simulate_judgments import simulate_judgments
from annotation.use_cases.verify_log import verify_log
from tests.annotation.boards.factories import imported, judge, make_board, refreshed, three
from tests.annotation.boards.late_writers import watch_late_writers
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_respondent, new_key

pytestmark = pytest.mark.django_db(transaction=True)
EQUAL = 1e-6 + 5e-7  # points; a snapshot keeps six decimals


def advanced(board):
    number_log()
    return advance_board(board_id=board.pk, now=timezone.now())


def points(board):
    return {int(pk): value for pk, value in LiveBoard.objects.get(board=board).points.items()}


def fitted(board):
    refresh_board(board_id=board.pk, now=timezone.now())
    entries = latest_snapshot(board).standings["entries"]
    return {entry["contestant"]: entry["rating"] for entry in entries if entry["rating"] is not None}


def assert_same(board):
    assert points(board) == pytest.approx(fitted(board), abs=EQUAL)


def test_after_every_kind_of_news_the_points_are_those_of_a_full_fit(monkeypatch):
    campaign = make_campaign()
    board, (ada, bea, cleo) = make_board(campaign), three(campaign)
    read = []
    whole = module._count_anew
    monkeypatch.setattr(module, "_count_anew", lambda *them: (read.append("anew"), whole(*them)))
    assert advanced(board)
    assert (points(board), read) == ({}, ["anew"])
    read.clear()

    author = make_respondent(campaign)
    first = judge(campaign, ada, bea, respondent=author)
    assert advanced(board)
    assert points(board).keys() == {ada.pk, bea.pk}
    assert_same(board)
    for better, worse, more in (
        (bea, cleo, {}),
        (cleo, ada, {"choice": "tie"}),
        (ada, cleo, {"choice": "cannot_compare"}),
        (bea, ada, {"acceptable": (False, False)}),
        (cleo, bea, {}),
    ):
        judge(campaign, better, worse, **more)
        advanced(board)
        assert_same(board)

    # The first one's author finds that the other was better.
    other = "b" if first.preference == "a" else "a"
    answers = {"preference": {"choice": other, "strength": None}, "acceptable": None, "worth": None}
    answers = {name: answer for name, answer in answers.items() if name in first.impression.questions_asked}
    before = points(board)
    correct_judgment(judgment_id=first.pk, key=new_key(), respondent=author, answers=answers, now=timezone.now())
    assert advanced(board)
    assert points(board)[bea.pk] > before[bea.pk]
    assert_same(board)

    before = points(board)
    block_respondent(respondent_id=author.pk, reason="a robot", actor=None, now=timezone.now())
    assert advanced(board)
    assert points(board)[bea.pk] < before[bea.pk]
    assert_same(board)
    assert read == [], "news were added and taken away, and nothing was counted anew"
    assert not advanced(board)


def test_of_the_log_only_what_came_since_is_read(monkeypatch):
    campaign = make_campaign()
    board, (ada, bea, cleo) = make_board(campaign), three(campaign)
    simulate_judgments(campaign=campaign, contestants=[ada, bea, cleo], judgments=90, seed=3, now=timezone.now())
    advanced(board)
    rows = []
    count = module.count_pairs
    counted = lambda *a, **k: (found := count(*a, **k), rows.append(found.comparisons))[0]  # noqa: E731
    monkeypatch.setattr(module, "count_pairs", counted)
    judge(campaign, ada, bea)
    judge(campaign, ada, bea)
    assert advanced(board)
    assert rows == [2]
    assert_same(board)


def followed_by_two_processes(monkeypatch):
    """Votes that one process, another and again the first bring to the board; and how often the counts were read."""
    campaign = make_campaign()
    board, (ada, bea, cleo) = make_board(campaign), three(campaign)
    ours, theirs, reads = HeldCounts(), HeldCounts(), []
    read = module.read_counts
    monkeypatch.setattr(module, "read_counts", lambda board: (reads.append(board.pk), read(board))[1])
    for held, better, worse in (
        *((ours, ada, bea), (ours, bea, cleo), (ours, cleo, ada), (ours, ada, bea)),
        *((theirs, ada, cleo), (ours, bea, ada), (ours, bea, cleo)),
    ):
        monkeypatch.setattr(module, "HELD", held)
        judge(campaign, better, worse)
        assert advanced(board)
    return board, len(reads)


def test_counts_are_read_where_somebody_comes_or_another_process_changed_them_and_else_held(monkeypatch):
    board, reads = followed_by_two_processes(monkeypatch)
    assert_same(board)
    # The first vote, the third model's first, the other process's, and ours after it.
    assert reads == 4


def test_control_who_holds_counts_without_looking_misses_another_process(monkeypatch):
    monkeypatch.setattr(HeldCounts, "of", lambda self, board, counted: self._held.get(board, (None, None))[1])
    board, _reads = followed_by_two_processes(monkeypatch)
    with pytest.raises(AssertionError):
        assert_same(board)


def test_who_has_no_vote_left_has_no_points(monkeypatch):
    campaign = make_campaign()
    board, (ada, bea, cleo) = make_board(campaign), three(campaign)
    author = make_respondent(campaign)
    for better, worse, who in ((ada, bea, None), (bea, ada, None), (cleo, ada, author)):
        judge(campaign, better, worse, respondent=who)
        advanced(board)
    assert cleo.pk in points(board)
    block_respondent(respondent_id=author.pk, reason="a robot", actor=None, now=timezone.now())
    advanced(board)
    assert points(board).keys() == {ada.pk, bea.pk}
    assert_same(board)


def test_what_the_counts_rest_on_changes_them_at_once():
    campaign = make_campaign()
    board, (ada, bea, cleo) = make_board(campaign), three(campaign)
    made_up = simulate_judgments(campaign=campaign, contestants=[ada, bea], judgments=40, seed=9, now=timezone.now())
    for better, worse in ((ada, bea), (bea, cleo), (cleo, ada)):
        judge(campaign, better, worse)
    advanced(board)
    retire_source(source_id=made_up.pk, actor=None, reason="over", now=timezone.now())
    assert advanced(board)
    assert LiveBoard.objects.get(board=board).comparisons == 3
    assert_same(board)
    restore_source(source_id=made_up.pk, actor=None, reason="shown again", now=timezone.now())
    assert advanced(board)
    assert LiveBoard.objects.get(board=board).comparisons == 43
    Contestant.objects.filter(pk=cleo.pk).update(merged_into=bea)
    assert advanced(board)
    assert points(board).keys() == {ada.pk, bea.pk}
    assert_same(board)
    Board.objects.filter(pk=board.pk).update(method="bt_half")
    assert advanced(board)
    board.refresh_from_db()
    assert_same(board)


def test_bad_against_bad_counts_half_where_the_method_says_so(tmp_path):
    board = imported(tmp_path, "x,y,a\nx,y,a\ny,x,a\nx,y,both_bad\nx,y,tie\nx,z,a\nz,y,b\np,q,a\n").board
    advanced(board)
    assert PairCount.objects.filter(board=board, both_bad__gt=0).count() == 1
    left_out = points(board)
    assert_same(board)
    Board.objects.filter(pk=board.pk).update(method="bt_half")
    advanced(board)
    assert points(board) != left_out
    assert_same(Board.objects.get(pk=board.pk))


def test_a_slice_counts_its_own_votes_and_is_put_right_when_a_category_came_after_the_vote():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    board = make_board(campaign, slice={"category": "maths"})
    judge(campaign, ada, bea)
    judge(campaign, bea, ada)
    Item.objects.filter(pk=Item.objects.latest("pk").pk).update(category="maths")
    advanced(board)
    assert LiveBoard.objects.get(board=board).comparisons == 1
    Item.objects.update(category="maths")
    assert not advanced(board), "no entry of the log tells of it"
    judge(campaign, ada, bea)
    advanced(board)
    snapshot = refreshed(board)
    assert LiveBoard.objects.get(board=board).comparisons == 1
    judge(campaign, ada, bea)
    Item.objects.filter(pk=Item.objects.latest("pk").pk).update(category="maths")
    advanced(board)
    hold_to_snapshot(snapshot, now=timezone.now())
    assert LiveBoard.objects.get(board=board).comparisons == 3, "the counts are ahead of the snapshot, and right"
    assert_same(board)


def test_control_without_the_comparison_the_late_category_is_never_counted(monkeypatch):
    monkeypatch.setattr(module, "differs", lambda *_, **__: False)
    with pytest.raises(AssertionError, match="ahead of the snapshot"):
        test_a_slice_counts_its_own_votes_and_is_put_right_when_a_category_came_after_the_vote()


def test_verifying_the_log_finds_counts_that_do_not_follow_from_it():
    campaign = make_campaign()
    board, (ada, bea, _) = make_board(campaign), three(campaign)
    judge(campaign, ada, bea)
    advanced(board)
    assert verify_log(now=timezone.now()).problems == []
    PairCount.objects.filter(board=board).update(ties=1)
    assert verify_log(now=timezone.now()).problems == [
        f"board {board.slug}: its live counts do not follow from the log"
    ]


def test_more_going_than_came_is_counted_anew():
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    board, author = make_board(campaign, slice={"category": "maths"}), make_respondent(campaign)
    judge(campaign, ada, bea, respondent=author)
    advanced(board)
    Item.objects.update(category="maths")
    block_respondent(respondent_id=author.pk, reason="a robot", actor=None, now=timezone.now())
    assert advanced(board)
    assert (points(board), PairCount.objects.filter(board=board).count()) == ({}, 0)


def test_boards_without_news_are_noted_to_be_up_to_date_and_one_that_fails_holds_nobody_up(monkeypatch):
    quiet, busy, broken = (make_board(make_campaign()) for _ in range(3))
    pairs = {board.pk: three(board.campaign)[:2] for board in (quiet, busy, broken)}
    for board in (quiet, busy, broken):
        judge(board.campaign, *pairs[board.pk])
    number_judgments()
    assert {len(each.points) for each in LiveBoard.objects.all()} == {2}
    one = module.advance_board

    def advance(*, board_id, now):
        if board_id == broken.pk:
            raise RuntimeError("no such luck")
        return one(board_id=board_id, now=now)

    monkeypatch.setattr("annotation.use_cases.advance_boards.advance_board", advance)
    for board in (busy, broken):
        judge(board.campaign, *pairs[board.pk])
    number_log()
    assert advance_boards(now=timezone.now()) == 1
    reached = dict(LiveBoard.objects.values_list("board", "last_sequence"))
    assert (reached[quiet.pk], reached[busy.pk], reached[broken.pk]) == (5, 5, 3)


def test_a_full_fit_rests_in_proportion_to_what_it_took_and_points_do_not_wait(monkeypatch):
    campaign = make_campaign()
    board, (ada, bea, _) = make_board(campaign), three(campaign)
    judge(campaign, ada, bea)
    number_judgments()
    assert refresh_boards(now=timezone.now()) == 1
    computed = latest_snapshot(board).created_at
    monkeypatch.setattr("annotation.use_cases.refresh_boards.cache.get", took(2.0, of=board))
    judge(campaign, ada, bea)
    number_judgments()
    assert LiveBoard.objects.get(board=board).comparisons == 2
    assert refresh_boards(now=computed + timezone.timedelta(seconds=9)) == 0
    assert refresh_boards(now=computed + timezone.timedelta(seconds=11)) == 1
    monkeypatch.setattr("annotation.use_cases.refresh_boards.cache.get", took(600.0, of=board))
    judge(campaign, ada, bea)
    number_judgments()
    assert refresh_boards(now=timezone.now() + timezone.timedelta(seconds=31)) == 1, "never longer than half a minute"


def took(seconds, *, of):
    from django.core.cache import cache

    get = cache.get
    return lambda key, *rest: seconds if key == f"annotation.board_took:{of.pk}" else get(key, *rest)


def test_late_commits_out_of_order_are_all_counted_and_ids_as_a_watermark_miss_some():
    watched = watch_late_writers(writers=16, seconds=0, longest_wait=0.25, at_least=6)
    print(watched)
    assert watched.looks > 2
    assert watched.late > 10
    votes = Judgment.objects.filter(preference__in="ab").count()
    assert votes == watched.votes == 16 * 6
    assert LiveBoard.objects.get(board=watched.board).comparisons == votes
    assert_same(watched.board)
    assert watched.seen_by_id < votes, "the control: who takes what is above the highest id misses late commits"
