"""The admin shows boards, campaigns and sources, and changes them through use cases alone."""

import pytest
from django.urls import reverse

from annotation.models import Board, Event, Source
from tests.annotation.boards.factories import make_board
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    return client


def act(client, model, action, rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(f"admin:annotation_{model}_changelist"), chosen, follow=True)


def test_sources_are_retired_and_restored_by_events(admin_client):
    source = make_campaign().sources.get()
    for action, state in (("retire", "retired"), ("retire", "retired"), ("restore", "active")):
        assert act(admin_client, "source", action, [source]).status_code == 200
        assert Source.objects.get().state == state
    events = Event.objects.filter(subject="annotation.source").order_by("pk")
    assert [(event.verb, event.to_state, event.reason) for event in events] == [
        ("retired", "retired", "in the admin"),
        ("restored", "active", "in the admin"),
    ]
    assert all(event.actor.user.is_superuser for event in events)


def test_boards_are_hidden_and_shown_by_events(admin_client):
    board = make_board()
    for action, public in (("hide", False), ("hide", False), ("publish", True)):
        act(admin_client, "board", action, [board])
        assert Board.objects.get().is_public is public
    assert list(Event.objects.filter(subject="annotation.board").order_by("pk").values_list("verb", flat=True)) == [
        "hidden",
        "published",
    ]


@pytest.mark.parametrize("model", ["campaign", "board", "source"])
def test_pages_are_to_look_at(admin_client, model):
    board = make_board()
    row = {"campaign": board.campaign, "board": board, "source": Source.objects.first()}[model]
    assert admin_client.get(reverse(f"admin:annotation_{model}_changelist")).status_code == 200
    page = reverse(f"admin:annotation_{model}_change", args=[row.pk])
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"name": "changed"}).status_code == 403
    assert admin_client.get(reverse(f"admin:annotation_{model}_add")).status_code == 403
