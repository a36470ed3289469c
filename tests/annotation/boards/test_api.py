"""Public boards as JSON, for everybody; others are not there."""

import pytest
from django.urls import reverse

from annotation.boards import CODE_VERSION
from annotation.models import Board
from tests.annotation.boards.factories import judge, make_board, refreshed, three
from tests.factories import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)


def voted(**fields):
    campaign = make_campaign()
    ada, bea, _ = three(campaign)
    judge(campaign, ada, bea)
    return refreshed(make_board(campaign, **fields))


def moment(snapshot):
    return snapshot.created_at.isoformat().replace("+00:00", "Z")


def test_the_list_names_every_public_board(client, django_assert_num_queries):
    snapshot = voted(slug="first", name="B first")
    make_board(slug="second", name="A second")
    Board.objects.filter(pk=make_board(slug="hidden").pk).update(is_public=False)
    with django_assert_num_queries(2):
        answer = client.get(reverse("api-boards"))
    assert answer.json() == [
        {
            "slug": "second",
            "name": "A second",
            "method": "bradley_terry",
            "number": None,
            "judgments": 0,
            "computed_at": None,
        },
        {
            "slug": "first",
            "name": "B first",
            "method": "bradley_terry",
            "number": 1,
            "judgments": 1,
            "computed_at": moment(snapshot),
        },
    ]


def test_a_board_has_its_standings_and_what_they_are_from(client):
    snapshot = voted(slug="first", name="First")
    body = client.get(reverse("api-board", args=["first"])).json()
    sentence = body.pop("sentence")
    assert body == {
        "slug": "first",
        "name": "First",
        "method": "bradley_terry",
        "number": 1,
        "judgments": 1,
        "computed_at": moment(snapshot),
        "last_sequence": snapshot.last_sequence,
        "retired_sources": [],
        "code_version": CODE_VERSION,
        "slice": {},
        "digest": snapshot.digest,
        "renamed": False,
        "standings": snapshot.standings,
    }
    assert sentence.startswith("What 1 annotator preferred on 1 given prompt, ")


def test_a_board_before_its_first_snapshot_has_no_standings(client):
    make_board(slug="new")
    body = client.get(reverse("api-board", args=["new"])).json()
    assert (body["number"], body["standings"], body["sentence"]) == (None, None, "Not computed yet.")


@pytest.mark.parametrize("slug", ["hidden", "nowhere"])
def test_a_board_that_is_not_public_is_as_one_that_does_not_exist(client, slug):
    Board.objects.filter(pk=make_board(slug="hidden").pk).update(is_public=False)
    answer = client.get(reverse("api-board", args=[slug]))
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


def test_the_schema_describes_both(client):
    schema = client.get(reverse("api-schema"), headers={"Accept": "application/vnd.oai.openapi+json"})
    paths = schema.content.decode()
    assert "/api/v1/boards/{slug}" in paths
    assert "SHA-256 of the canonical JSON" in paths
