"""Categories and languages with enough judgments get boards of their own, once, and these are boards like all."""

import threading

import pytest
from django.db import connection, connections, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Board, Event, Item
from annotation.use_cases import open_slices as module
from annotation.use_cases.open_slice import SliceOfSlice, open_slice
from annotation.use_cases.open_slices import open_slices
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.verify_log import verify_log
from arena.queries import board_news
from tests.annotation.boards.factories import judge, make_board, three
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def board(monkeypatch):
    """Of three judgments on code, two of them in German, and one on nothing in particular."""
    monkeypatch.setattr(module, "LEAST_JUDGMENTS", 2)
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    for better, worse, category, language in (
        (ada, bea, "code", "de"),
        (bea, cleo, "code", "de"),
        (ada, cleo, "code", "en"),
        (cleo, bea, "", ""),
    ):
        item = judge(campaign, better, worse).item_id
        Item.objects.filter(pk=item).update(category=category, language=language)
    number_log()
    return make_board(campaign, slug="whole", name="Whole")


def opened(board):
    return sorted(str(each.slice) for each in Board.objects.filter(parent=board))


LARGE = ["{'category': 'code'}", "{'language': 'de'}"]


def test_a_moved_board_opens_its_large_slices_which_are_computed_followed_and_verified_like_it(board):
    assert refresh_boards(now=timezone.now()) == 1
    assert opened(board) == LARGE
    assert refresh_boards(now=timezone.now()) == 2
    assert {str(each.slice): each.snapshots.get().judgments for each in Board.objects.all()} == {
        "{}": 4,
        LARGE[0]: 3,
        LARGE[1]: 2,
    }
    assert verify_log(now=timezone.now()).problems == []
    hidden = Board.objects.get(slice={"category": "code"})
    publish_board(board_id=hidden.pk, public=False, actor=None, now=timezone.now())
    assert open_slices(board_id=board.pk, now=timezone.now()) == []
    hidden.refresh_from_db()
    assert (hidden.is_public, hidden.name) == (False, "Whole: prompts of the category “code”")
    assert Event.objects.filter(subject="annotation.board", verb="opened").count() == 2


def test_a_slice_has_no_slices_and_equal_parts_are_one_however_they_are_written(board):
    made = open_slice(board=board, slice={"turns": "1", "ties": "without"}, actor=None, now=timezone.now())
    again = open_slice(board=board, slice={"ties": "without", "turns": "1"}, actor=None, now=timezone.now())
    assert (made.parent_id, again) == (board.pk, None)
    with pytest.raises(SliceOfSlice):
        open_slice(board=made, slice={"turns": "2"}, actor=None, now=timezone.now())


def run_as_owner(statement):
    """What the application's own role may not do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)


def open_at_once(board):
    """One opens them and has not committed when the other does."""

    def other():
        try:
            open_slices(board_id=board.pk, now=timezone.now())
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        open_slices(board_id=board.pk, now=timezone.now())
        thread.start()
        thread.join(2)
    thread.join(30)
    return opened(board)


def test_two_that_open_slices_at_once_make_one_of_each(board):
    assert open_at_once(board) == LARGE


def test_control_without_the_constraints_two_at_once_make_each_twice(board):
    run_as_owner("ALTER TABLE annotation_board DROP CONSTRAINT one_board_per_parent_and_slice")
    run_as_owner("ALTER TABLE annotation_board DROP CONSTRAINT annotation_board_slug_key")
    try:
        assert open_at_once(board) == sorted(LARGE * 2)
    finally:
        Board.objects.filter(parent=board).delete()
        run_as_owner(
            "ALTER TABLE annotation_board ADD CONSTRAINT one_board_per_parent_and_slice UNIQUE (parent_id, slice)"
        )
        run_as_owner("ALTER TABLE annotation_board ADD CONSTRAINT annotation_board_slug_key UNIQUE (slug)")


def test_a_slice_is_shown_with_its_whole_and_never_without_it(board, client):
    open_slices(board_id=board.pk, now=timezone.now())
    refresh_boards(now=timezone.now())
    part = Board.objects.get(slice={"category": "code"})
    page, api = reverse("board", args=[part.slug]), reverse("api-board", args=[part.slug])
    text = client.get(page).content.decode()
    assert "A part of the whole: prompts of the category “code”." in text
    assert f'href="{reverse("board", args=["whole"])}"' in text
    assert f'<a href="{page}" aria-current="page">code</a> <span class="muted small">3 judgments</span>' in text
    whole = client.get(reverse("board", args=["whole"])).content.decode()
    assert f'<a href="{page}">code</a>' in whole
    assert "Other boards" not in whole
    publish_board(board_id=board.pk, public=False, actor=None, now=timezone.now())
    assert (client.get(page).status_code, client.get(api).status_code) == (404, 404)
    assert part.slug not in client.get(reverse("api-boards")).content.decode()
    assert board_news(part.slug) is None
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    text = client.get(page).content.decode()
    assert "Everybody will see this slice once its whole is shown: Whole." in text
    assert "data-board-stream" not in text
    assert "data-board-live" not in text
