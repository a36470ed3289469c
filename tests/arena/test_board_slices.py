"""An admin's page of a board's slices: what would be in one is counted, made once, hidden until it is shown."""

import re
import threading
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Board, Contestant, Event
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.open_slice import open_slice
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.refresh_boards import refresh_boards
from tests.annotation.boards.factories import imported, judge, make_board, refreshed, three
from tests.annotation.boards.test_open_slices import run_as_owner
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_respondent, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/leaderboard/whole/slices"


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def whole():
    """Of three judgments, one of them a tie."""
    campaign = make_campaign()
    ada, bea, _cleo = three(campaign)
    judge(campaign, ada, bea)
    judge(campaign, bea, ada)
    judge(campaign, ada, bea, choice="tie")
    board = make_board(campaign, slug="whole", name="Whole")
    refreshed(board)
    return board


@pytest.fixture
def admin(client):
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def test_a_slice_is_counted_made_hidden_shown_and_hidden_again(whole, admin):
    assert "Make, show and hide slices" in words(admin.get("/leaderboard/whole"))
    assert "None yet." in words(admin.get(PAGE))
    said = "2 judgments are in this slice now. With so few most ratings are provisional."
    assert said in words(admin.get(f"{PAGE}?ties=without"))
    assert words(admin.get(f"{PAGE}?ties=without", headers={"HX-Request": "true"})) == said
    assert admin.post(PAGE, {"ties": "without"}).url == PAGE
    made = Board.objects.get(parent=whole)
    name = "Whole: judgments that see a difference"
    assert (made.slice, made.is_public, made.name) == ({"ties": "without"}, False, name)
    assert Event.objects.get(subject="annotation.board", verb="opened").actor.user.role_names == {"campaign_admin"}
    assert refreshed(made).judgments == 2
    assert "judgments that see a difference Ties 2 Hidden Show to everybody" in words(admin.get(PAGE))
    visitor = Client()
    assert visitor.get(f"/leaderboard/{made.slug}").status_code == 404
    assert admin.post(f"/leaderboard/{made.slug}/publish", {"back": "slices"}).url == PAGE
    assert visitor.get(f"/leaderboard/{made.slug}").status_code == 200
    assert "Make, show and hide" not in words(visitor.get("/leaderboard/whole"))
    assert "Ties 2 Everybody Hide" in words(admin.get(PAGE))
    assert admin.post(f"/leaderboard/{made.slug}/hide", {"back": "slices"}).url == PAGE
    assert visitor.get(f"/leaderboard/{made.slug}").status_code == 404
    assert admin.get(f"/leaderboard/{made.slug}/slices").status_code == 404


def test_flags_and_days_are_written_in_one_way_so_that_one_slice_is_one(whole, admin):
    admin.post(PAGE, {"flags": "b, a,,b", "from": "2026-01-01", "to": "2027-01-01"})
    assert Board.objects.get(parent=whole).slice == {"flags": ["a", "b"], "from": "2026-01-01", "to": "2027-01-01"}
    again = admin.post(PAGE, {"to": "2027-01-01", "from": "2026-01-01", "flags": "a,b"})
    assert (again.status_code, Board.objects.filter(parent=whole).count()) == (422, 1)
    assert "There is a board of this slice: it is in the list." in words(again)


@pytest.mark.parametrize(
    ("chosen", "field", "said"),
    [
        ({}, "", "Choose at least one: without any it is the whole board."),
        ({"turns": "7"}, "turns", "Select a valid choice. 7 is not one of the available choices."),
        ({"from": "2027-01-01", "to": "2026-01-01"}, "to", "This is not after the day from which judgments count."),
        ({"from": "yesterday"}, "from", "Enter a valid date."),
    ],
)
def test_what_is_refused_is_said_at_its_field_and_makes_nothing(whole, admin, chosen, field, said):
    answer = admin.post(PAGE, chosen)
    assert (answer.status_code, Board.objects.filter(parent=whole).count()) == (422, 0)
    assert said in words(answer)
    assert re.findall(r'id="id_(\w+)_error"', answer.content.decode()) == ([field] if field else [])


def test_counting_first_makes_nothing_and_puts_no_token_into_an_address(whole, admin):
    page = admin.get(PAGE).content.decode()
    assert "formmethod" not in page
    counted = admin.post(PAGE, {"ties": "without", "count": "1"})
    assert (counted.status_code, "in this slice now" in words(counted)) == (200, True)
    assert not Board.objects.filter(parent=whole).exists()


def make_at_once(whole, admin):
    """One has made the slice and has not committed when the other sends the form; what the other is told."""
    told = []

    def other():
        try:
            told.append(admin.post(PAGE, {"ties": "without"}).status_code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        open_slice(board=whole, slice={"ties": "without"}, actor=None, now=timezone.now())
        thread.start()
        thread.join(2)
    thread.join(30)
    return told, Board.objects.filter(parent=whole).count()


def test_of_two_admins_who_make_one_slice_at_once_the_second_is_told(whole, admin):
    assert make_at_once(whole, admin) == ([422], 1)


def test_control_without_the_constraints_two_admins_make_one_slice_twice(whole, admin):
    run_as_owner("ALTER TABLE annotation_board DROP CONSTRAINT one_board_per_parent_and_slice")
    run_as_owner("ALTER TABLE annotation_board DROP CONSTRAINT annotation_board_slug_key")
    try:
        assert make_at_once(whole, admin) == ([302], 2)
    finally:
        Board.objects.filter(parent=whole).delete()
        run_as_owner(
            "ALTER TABLE annotation_board ADD CONSTRAINT one_board_per_parent_and_slice UNIQUE (parent_id, slice)"
        )
        run_as_owner("ALTER TABLE annotation_board ADD CONSTRAINT annotation_board_slug_key UNIQUE (slug)")


def test_a_slice_stands_beside_its_whole_with_who_moves(tmp_path, client):
    """Ada is preferred, but not for code; cleo stands on the whole board alone."""
    rows = [("ada", "bea", "a", "prose")] * 45 + [("bea", "cleo", "a", "prose")] * 24
    rows += [("ada", "bea", "b", "prose")] * 3 + [("cleo", "bea", "a", "prose")] * 3
    rows += [("ada", "bea", "b", "code")] * 14 + [("ada", "bea", "a", "code")]
    lines = "".join(f"{','.join(row)}\n" for row in rows)
    board = imported(tmp_path, lines, header="a,b,outcome,category").board
    part = open_slice(board=board, slice={"category": "code"}, actor=None, now=timezone.now())
    assert "This slice beside the whole" not in words(client.get(f"/leaderboard/{part.slug}"))
    for each in (board, part):
        publish_board(board_id=each.pk, public=True, actor=None, now=timezone.now())
        refreshed(each)
    text = words(client.get(f"/leaderboard/{part.slug}"))
    assert "This slice beside the whole Higher here: bea. Lower here: ada. Model Rank here" in text
    assert "bea Provisional 1 2 higher ada Provisional 2 1 lower Ranks are those" in text
    assert "leaves open, among the 2 models that stand on both." in text
    assert "This slice beside the whole" not in words(client.get(f"/leaderboard/{board.slug}"))


def test_excluded_votes_are_counted_with_reasons_for_admins_and_have_a_board_that_says_who_moves(whole, client):
    campaign = whole.campaign
    ada, bea = Contestant.objects.filter(name__in=("ada", "bea")).order_by("name")
    rogue = make_respondent(campaign)
    for _ in range(7):
        judge(campaign, bea, ada, respondent=rogue)
    refresh(whole)
    assert "Excluded votes None" in words(client.get("/leaderboard/whole"))
    block_respondent(respondent_id=rogue.pk, reason="Said to be a robot", actor=None, now=timezone.now())
    refresh(whole)
    together = Board.objects.get(parent=whole)
    assert together.slice == {"excluded": "with"}
    refresh(whole)
    text = words(client.get("/leaderboard/whole"))
    assert "Excluded votes 7 judgments (70.0 % of all) of 1 person who was blocked." in text
    assert "The board with them, and who moves" in text
    assert "robot" not in text
    beside = words(client.get(f"/leaderboard/{together.slug}"))
    assert "With the excluded votes, and without Nobody moves for certain" in beside
    assert (together.snapshots.latest("number").judgments, whole.snapshots.latest("number").judgments) == (10, 3)
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert "Said to be a robot 7" in words(client.get("/leaderboard/whole"))
    unblock_respondent(respondent_id=rogue.pk, reason="A person", actor=None, now=timezone.now())
    refresh(whole)
    assert "Excluded votes None" in words(client.get("/leaderboard/whole"))


def refresh(board):
    """All boards, as the site does it."""
    number_log()
    cache.clear()
    refresh_boards(now=timezone.now() + timedelta(minutes=1))
