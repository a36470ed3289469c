"""A model that was never released is named nowhere that everybody reads, also after it was retired."""

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.datasets.folders import version_folder
from annotation.models import Contestant
from annotation.queries import main_board
from annotation.queries.answered import contestants_in
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.sequence_log import sequence_log
from arena.enums import BattleState, EntryState
from arena.models import Arena, Battle, Entry
from arena.queries.arenas import tested_in as organisations_in
from arena.use_cases.change_entry import change_entry
from inference_workers.enums import Visibility
from inference_workers.models import LanguageModel
from inference_workers.use_cases.edit_language_model import Card, Recipe, edit_language_model
from tests.annotation.datasets.rows import build
from tests.architecture.routes import TOKEN
from tests.arena.factories import make_arena, make_models, votable
from tests.arena.test_shares import share
from tests.arena.voting import browser_of, vote
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)


PAGES = ("home", "leaderboard", "mine", "own-board", "own-data", "own-download")


def card_of(model: LanguageModel) -> Card:
    return Card(**{name: getattr(model, name) for name in Card.__dataclass_fields__})


def become(visibility: str) -> None:
    """As an operator does it, with every model."""
    for model in LanguageModel.objects.select_related("current__endpoint"):
        card = replace(card_of(model), visibility=visibility)
        edit_language_model(language_model_id=model.pk, card=card, recipe=Recipe.of(model.serves), now=timezone.now())


@pytest.fixture
def canaries(settings, tmp_path) -> list[str]:
    """All but the organisation: that it tested private variants is public, see the list of who was tested."""
    settings.MEDIA_ROOT = tmp_path
    return [each for each in make_models(2, visibility=Visibility.HIDDEN) if not each.startswith("canaryorg")]


@pytest.fixture
def arena(canaries) -> Arena:
    """The visitor has voted in a battle; others have theirs open, and vote whatever becomes of the models."""
    arena = make_arena()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    vote(votable(person), person)
    for _ in range(2):
        votable(make_person())
    create_board(slug="arena", name="Arena", campaign=arena.campaign, now=timezone.now())
    return arena


def everything_public(arena: Arena) -> dict[str, str]:
    """What that visitor, whoever was given a link, and whoever takes the data out read once another has voted."""
    open_battle = Battle.objects.filter(state=BattleState.VOTABLE).order_by("created_at")[0]
    judgment = vote(open_battle, open_battle.assignment.respondent.person)
    sequence_log(now=timezone.now())
    assert refresh_board(board_id=main_board(arena.campaign).pk, now=timezone.now())
    visitor, anybody, battle = browser_of(TOKEN), Client(), own_battle()
    texts = {name: whole(visitor.get(reverse(name))) for name in PAGES}
    texts["csv"] = whole(visitor.get(reverse("leaderboard"), {"format": "csv"}))
    texts["reveal"] = whole(visitor.get(reverse("battle", args=[battle.pk])))
    texts["api"] = whole(anybody.get(reverse("api-board", args=["arena"])))
    texts["shared"] = whole(anybody.get(f"{share(battle, battle.assignment.respondent.person)}/models"))
    return texts | files_of(arena) | {"review": str(contestants_in(judgment))}


def own_battle() -> Battle:
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    return Battle.objects.get(assignment__respondent__person=person)


def files_of(arena: Arena) -> dict[str, str]:
    """By what kind of file they are: into which split a prompt falls is drawn."""
    folder = version_folder(build(arena.campaign))
    texts: dict[str, str] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        is_table = path.suffix == ".parquet"
        text = json.dumps(pq.read_table(path).to_pylist(), default=str) if is_table else path.read_text()
        texts[path.suffix] = texts.get(path.suffix, "") + text
    return texts


def whole(response) -> str:
    assert response.status_code == 200
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{body.decode()} {dict(response.headers)}"


def named_in(texts: dict[str, str], canaries: list[str]) -> set[str]:
    return {place for place, text in texts.items() if any(canary in text for canary in canaries)}


def retire(arena) -> None:
    """All models of the site; one has left the arena as well."""
    become(Visibility.RETIRED)
    entry = Entry.objects.filter(arena=arena).order_by("pk")[0]
    change_entry(entry_id=entry.pk, to=EntryState.RETIRED, reason="It was not ready.", actor=None, now=timezone.now())


# Where models are named once they may be.
NAMED = {
    *("leaderboard", "csv", "api", "reveal", "mine", "own-board", "own-download", "shared", "review"),
    *(".json", ".jsonl", ".parquet"),
}


def test_a_model_that_was_retired_without_a_release_is_named_nowhere(arena, canaries):
    assert named_in(everything_public(arena), canaries) == set()
    retire(arena)
    after = everything_public(arena)
    assert named_in(after, canaries) == set()
    assert all("stand-in " in after[place] for place in NAMED)
    assert "a private variant" in after["leaderboard"]


def test_control_the_rule_of_those_that_are_hidden_now_names_them(arena, canaries, monkeypatch):
    retire(arena)

    def not_hidden_now(*, visibility, released_at):
        return visibility != Visibility.HIDDEN

    for place in ("annotation.boards.names", "annotation.datasets.contents", "arena.queries", "arena.queries.arenas"):
        monkeypatch.setattr(f"{place}.may_be_named", not_hidden_now)
    assert named_in(everything_public(arena), canaries) == NAMED


def test_a_release_names_them_everywhere_and_retiring_them_afterwards_takes_no_name_back(arena, canaries):
    become(Visibility.PUBLIC)
    released = dict(LanguageModel.objects.values_list("pk", "released_at"))
    become(Visibility.RETIRED)
    assert dict(LanguageModel.objects.values_list("pk", "released_at")) == released
    assert None not in released.values()
    assert named_in(everything_public(arena), canaries) == NAMED


def test_a_released_model_that_is_hidden_again_has_no_name_for_as_long(arena, canaries):
    become(Visibility.PUBLIC)
    become(Visibility.HIDDEN)
    assert named_in(everything_public(arena), canaries) == set()


def test_a_board_calls_a_model_that_was_hidden_by_its_name_no_longer_than_until_it_is_looked_at(
    arena, canaries, client, monkeypatch
):
    """No vote comes in between, which would compute the board anew by itself."""
    monkeypatch.setattr("annotation.use_cases.refresh_boards.REST", 0)
    become(Visibility.PUBLIC)
    everything_public(arena)
    refresh_boards(now=timezone.now())
    page = reverse("leaderboard")
    assert named_in({"board": client.get(page).content.decode()}, canaries) == {"board"}
    become(Visibility.HIDDEN)
    refresh_boards(now=timezone.now())
    assert named_in({"board": client.get(page).content.decode()}, canaries) == set()


def test_a_release_is_written_whoever_makes_a_model_public_and_never_taken_back(canaries):
    first = LanguageModel.objects.order_by("pk")[0]
    LanguageModel.objects.filter(pk=first.pk).update(visibility=Visibility.PUBLIC)
    released_at = LanguageModel.objects.get(pk=first.pk).released_at
    assert released_at is not None
    LanguageModel.objects.filter(pk=first.pk).update(visibility=Visibility.RETIRED, released_at=None)
    assert LanguageModel.objects.get(pk=first.pk).released_at == released_at


def test_what_the_vote_reveals_of_a_hidden_model_agrees_with_what_is_counted_in_public(arena, canaries):
    """The visitor reads stand-ins without an organisation; of this everybody reads how many private ones it tested."""
    texts = everything_public(arena)
    assert "canaryorg" not in texts["reveal"]
    private = {tested.organisation: (tested.private, tested.released) for tested in organisations_in(arena)}
    assert list(private.values()) == [(1, 0), (1, 0)]
    assert all(organisation in texts["leaderboard"] for organisation in private)
    for pk in Contestant.objects.values_list("pk", flat=True):
        assert f"stand-in {pk}" in texts["reveal"]
        assert f"stand-in {pk}" in texts["leaderboard"]
