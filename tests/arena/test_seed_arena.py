"""`manage.py seed_arena`: an arena of the operator's own, without the demo."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Board, Campaign, Event, Judgment
from arena.models import Arena
from arena.queries import default_arena, default_board
from inference_workers.models import LanguageModel
from tests.factories import make_campaign

pytestmark = pytest.mark.django_db


def run(*words):
    out = StringIO()
    call_command("seed_arena", *words, stdout=out)
    return out.getvalue().splitlines()


def test_it_makes_a_running_arena_and_its_empty_board_and_nothing_of_the_demo():
    assert run("--slug", "school", "--name", "School arena") == [
        "School arena: battles at /, board at /leaderboard/school",
        "Battles begin once two public language models are there: /admin/, Endpoints, then Language models.",
    ]
    campaign = default_arena().campaign
    assert (campaign.slug, campaign.name, campaign.state) == ("school", "School arena", "running")
    assert (default_board().slug, default_board().name) == ("school", "School arena")
    assert (LanguageModel.objects.count(), Judgment.objects.count()) == (0, 0)


def test_again_changes_nothing():
    run("--slug", "school", "--name", "School arena")
    events = Event.objects.count()
    assert run("--slug", "school")[0] == run()[0] == "School arena: battles at /, board at /leaderboard/school"
    assert (Arena.objects.count(), Board.objects.count(), Event.objects.count()) == (1, 1, events)


def test_a_second_arena_stands_beside_the_first_which_stays_the_default_one():
    run("--slug", "school", "--name", "School arena")
    said = run("--slug", "poems", "--name", "Poems")
    assert said[0] == "Poems: battles at /arenas/poems, board at /leaderboard/poems"
    assert run("--slug", "poems") == said
    assert [(each.campaign.slug, each.is_default) for each in Arena.objects.all()] == [
        ("school", True),
        ("poems", False),
    ]
    assert default_arena().campaign.slug == "school"


def test_a_campaign_that_is_no_arena_does_not_become_one():
    make_campaign(slug="poems")
    with pytest.raises(CommandError, match=r"^there is a campaign already that is no arena: poems$"):
        run("--slug", "poems")
    assert Arena.objects.count() == 0


@pytest.mark.parametrize("words", [("--slug", "no slug"), ("--slug", "x" * 81), ("--slug", "s", "--name", "")])
def test_what_fits_no_address_or_no_page_is_refused(words):
    with pytest.raises(CommandError):
        run(*words)
    assert (Arena.objects.count(), Campaign.objects.count(), Board.objects.count()) == (0, 0, 0)


def test_the_demo_joins_the_arena_that_is_there():
    run("--slug", "school", "--name", "School arena")
    call_command("seed_demo")
    assert list(Board.objects.values_list("slug", flat=True)) == ["school"]
    assert Judgment.objects.filter(campaign=default_arena().campaign).count() == 600
