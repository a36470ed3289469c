"""The board of a campaign, as those who run it see it: attributes, files, the way back, and who sees it."""

import csv
import io

import pytest
from django.urls import reverse

from accounts.enums import Role
from annotation.models import Board, Event
from annotation.use_cases.publish_board import publish_board
from tests.annotation.boards.factories import make_board, refreshed
from tests.annotation.boards.test_attributes import FIVE, LABELS, RATING, helpful
from tests.annotation.boards.test_listed import NOW, answered
from tests.arena.factories import make_arena
from tests.arena.test_leaderboard import words
from tests.factories import PREFERENCE, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/leaderboard/five"


@pytest.fixture
def board():
    campaign = answered([RATING, PREFERENCE | {"settings": {}}, LABELS], helpful, responses=2)
    board = make_board(campaign, slug="five", name="Five ratings", public=False)
    refreshed(board)
    return board


@pytest.fixture
def admin(client):
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def rows(answer) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_results_show_every_attribute_by_model(admin, board):
    text = words(admin.get(PAGE))
    line = board.snapshots.get().standings["attributes"][0]
    best = max(line["models"], key=lambda each: each["value"])
    assert "mean on the scale from 0 to 4" in text
    assert " ".join(["Model", *FIVE]) in text
    assert f"{best['value']:.2f} {best['lower']:.2f} to {best['upper']:.2f}" in text
    assert "What is wrong?" in text
    assert "Model Wrong fact Rude" in text


def test_the_standings_and_the_attributes_leave_as_files(admin, board):
    standings = board.snapshots.get().standings
    models = {entry["contestant"]: entry["model"] for entry in standings["entries"]}
    given = rows(admin.get(f"{PAGE}?format=csv&table=standings"))
    assert [(row["model"], row["rank"], float(row["rating"])) for row in given] == [
        (entry["model"], str(entry["rank"]), entry["rating"]) for entry in standings["entries"]
    ]
    given = rows(admin.get(f"{PAGE}?format=csv&table=attributes"))
    assert [(row["question"], row["attribute"], row["model"], float(row["mean"]), row["judged"]) for row in given] == [
        (line["question"], line["name"], models[each["contestant"]], each["value"], str(each["judged"]))
        for line in standings["attributes"]
        for each in line["models"]
    ]
    assert admin.get(f"{PAGE}?format=csv&table=nothing").status_code == 404
    text = admin.get(PAGE).content.decode()
    assert f'href="{PAGE}.csv"' in text
    assert f"{PAGE}?format=csv&amp;table=attributes" in text


def test_a_file_of_a_hidden_board_is_for_those_who_see_it(client, board):
    assert client.get(f"{PAGE}?format=csv").status_code == 404


def test_the_way_back_leads_to_the_campaign(client, board):
    publish_board(board_id=board.pk, public=True, actor=None, now=NOW())
    back = reverse("campaign", args=[board.campaign.slug])
    assert back not in client.get(PAGE).content.decode()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert back in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.RESEARCHER, 200), (Role.CAMPAIGN_ADMIN, 200), (Role.ANNOTATOR, 404), (None, 404)]
)
def test_the_api_answers_who_sees_a_hidden_board(client, board, role, status):
    client.force_login(make_user(role=role))
    answer = client.get("/api/v1/boards/five")
    assert answer.status_code == status
    assert (answer.json().get("name") == "Five ratings") is (status == 200)


def test_an_admin_publishes_a_board_and_hides_it_again(admin, board):
    text = words(admin.get(PAGE))
    assert "Only researchers, campaign admins and operators see this board." in text
    assert "Prompts, responses, single judgments and annotators stay where they are." in text
    assert admin.post(reverse("board-publish", args=["five"])).status_code == 302
    assert "Everybody sees this board" in words(admin.get(PAGE))
    assert Board.objects.get(slug="five").is_public
    admin.logout()
    assert admin.get(PAGE).status_code == 200
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    admin.post(reverse("board-hide", args=["five"]))
    admin.logout()
    assert admin.get(PAGE).status_code == 404
    verbs = Event.objects.filter(subject="annotation.board").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["published", "hidden"]


def test_the_arenas_own_board_cannot_be_hidden_from_its_page(admin):
    make_board(make_arena().campaign, slug="arena")
    assert "Hide it" not in words(admin.get("/leaderboard"))
    assert admin.post(reverse("board-hide", args=["arena"])).status_code == 404
    assert Board.objects.get(slug="arena").is_public
