"""Who says which models meet: named by the visitor, of the visitor's own set, or hidden; and what counts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from annotation.datasets.previews import offers, supplies
from annotation.enums import SourceKind, SourceState
from annotation.models import Campaign, Contestant, Judgment, Source
from annotation.queries import standing_answers, standing_judgments
from annotation.queries.quality import groups, progress_of, summarised
from annotation.queries.reviews import Wanted, queue_of
from annotation.queries.summaries import Progress, summary_to_json
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import rebuild, refresh_board
from annotation.web.dataset_form import DatasetForm
from arena.enums import Mode
from arena.models import Arena, Battle, KeptModel
from arena.queries.own import own_battles, own_boards
from arena.queries.own_data import own_data
from arena.use_cases.cast_vote import cast_vote
from arena.use_cases.continue_battle import continue_battle
from arena.use_cases.erase_own import erase_own
from arena.use_cases.keep_models import keep_models
from arena.use_cases.start_battle import NoSuchModel
from inference_workers.models import LanguageModel
from tests.annotation.datasets.rows import rows_of, scope_of
from tests.annotation.judging.test_apart import CONSUMERS
from tests.annotation.numbering import number_log
from tests.arena.factories import answer, arena_of, begin, make_arena, make_models
from tests.arena.voting import browser_of, shown, vote, voted
from tests.factories import make_person, new_key

pytestmark = pytest.mark.django_db

NOW = timezone.now()
TOKEN = "cookie-of-who-says-who-meets"
ALL = [mode.value for mode in Mode]


def slugs() -> list[str]:
    return list(LanguageModel.objects.order_by("pk").values_list("slug", flat=True))


def visitor() -> tuple[Client, Person]:
    return browser_of(TOKEN), person_of_visitor(token=TOKEN, now=NOW)


def start(client: Client, where: str, **fields: Any) -> Any:
    return client.post(reverse(where), {"prompt": "Why is the sky blue?", "key": new_key(), **fields})


def named(person: Person, arena: Arena, *models: str) -> Battle:
    return answer(begin(person, arena=arena, mode=Mode.NAMED, named=models))


def test_named_models_stand_as_they_were_named_and_are_shown_from_the_start():
    make_models(3)
    arena, (client, person) = make_arena(modes=ALL), visitor()
    first, second, _third = slugs()
    page = client.get(reverse("battle-choose")).content.decode()
    assert all(f'value="{slug}"' in page for slug in slugs())
    assert "Your vote counts on your own board, and on no leaderboard" in page
    assert start(client, "battle-choose", named=[second, first]).status_code == 302
    battle = Battle.objects.get()
    seen = battle.impression
    assert (seen.pair_design, seen.p_pair, seen.side_design, seen.order) == ("chosen", None, "assigned", [0, 1])
    order = [Contestant.objects.get(pk=pk).revision.language_model.slug for pk in shown(battle)]
    assert (order, battle.mode) == ([second, first], "named")
    waiting = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert all(LanguageModel.objects.get(slug=slug).name in waiting for slug in (first, second))
    answer(battle)
    vote(battle, person)
    assert Judgment.objects.get().source.kind == SourceKind.NAMED
    assert arena.campaign.sources.get(kind=SourceKind.NAMED).state == SourceState.APART


def test_a_side_left_to_chance_is_drawn_among_the_released_models_that_nobody_named():
    make_models(4)
    hidden = LanguageModel.objects.order_by("pk").last()
    LanguageModel.objects.filter(pk=hidden.pk).update(visibility="hidden")
    arena, person = make_arena(modes=ALL, max_waiting=1000), make_person()
    wanted = slugs()[0]
    met = Counter()
    for _ in range(12):
        battle = begin(person, arena=arena, mode=Mode.NAMED, named=["", wanted])
        models = [Contestant.objects.get(pk=pk).revision.language_model.slug for pk in shown(battle)]
        assert models[1] == wanted
        met[models[0]] += 1
    assert set(met) <= set(slugs()) - {wanted, hidden.slug}


def test_a_hidden_model_is_refused_in_the_words_for_one_that_is_not_there_and_is_in_no_list():
    canaries = make_models(3)
    hidden = LanguageModel.objects.order_by("pk").last()
    LanguageModel.objects.filter(pk=hidden.pk).update(visibility="hidden")
    make_arena(modes=ALL)
    client, _person = visitor()
    open_one = slugs()[0]
    answers = [start(client, "battle-choose", named=[open_one, slug]) for slug in (hidden.slug, "no-such-model")]
    assert [each.status_code for each in answers] == [422, 422]
    said = [[str(each.context["refusal"]), [pick.chosen for pick in each.context["picks"]]] for each in answers]
    assert said[0][0] == said[1][0] == "One of these models cannot be chosen now. Choose again."
    sets = [client.post(reverse("battle-set"), {"named": [open_one, slug]}) for slug in (hidden.slug, "no-such-model")]
    assert [(each.status_code, str(each.context["problem"])) for each in sets] == [
        (422, sets[0].context["problem"])
    ] * 2
    own = [canary for canary in canaries if canary.endswith(hidden.name.removeprefix("canaryname"))]
    for where in ("battle-choose", "battle-set", "battle-own", "home"):
        page = client.get(reverse(where)).content.decode()
        assert not [canary for canary in own if canary in page], where
    assert not Battle.objects.exists()


def test_a_model_is_named_once_in_a_battle_and_only_where_the_arena_allows_it():
    make_models(2)
    arena = make_arena(modes=ALL)
    client, _person = visitor()
    twice = start(client, "battle-choose", named=[slugs()[0]] * 2)
    assert (twice.status_code, "Choose a different model for each side" in twice.content.decode()) == (422, True)
    assert start(client, "battle-choose", named=["a b", "<x>"]).status_code == 422
    arena.modes = [Mode.ANONYMOUS.value]
    arena.save()
    assert [client.get(reverse(where)).status_code for where in ("battle-choose", "battle-own", "battle-set")] == [
        404
    ] * 3
    assert [start(client, where).status_code for where in ("battle-choose", "battle-own")] == [404, 404]
    assert "modes__counts" not in client.get(reverse("home")).content.decode()
    arena.modes = [Mode.NAMED.value]
    arena.save()
    assert client.get(reverse("home")).url == reverse("battle-choose")
    assert start(client, "start-battle").status_code == 404
    with pytest.raises(IntegrityError, match="arena_has_a_mode"), transaction.atomic():
        Arena.objects.filter(pk=arena.pk).update(modes=[])


def test_an_own_set_is_kept_and_its_battles_are_drawn_blind_among_it():
    canaries = make_models(5)
    make_arena(modes=ALL)
    client, person = visitor()
    empty = client.get(reverse("battle-own")).content.decode()
    assert ("Choose at least 2 models first." in empty, 'name="prompt"' in empty) == (True, False)
    assert start(client, "battle-own").status_code == 422
    kept = slugs()[:3]
    assert client.post(reverse("battle-set"), {"named": slugs()}).url == reverse("battle-own")
    assert client.post(reverse("battle-set"), {"named": kept}).status_code == 302
    assert set(KeptModel.objects.values_list("language_model__slug", flat=True)) == set(kept)
    with pytest.raises(NoSuchModel):
        keep_models(arena=Arena.objects.get(), person=person, slugs=[kept[0], "gone"], now=NOW)
    assert KeptModel.objects.count() == 3
    assert start(client, "battle-own").status_code == 302
    battle = answer(Battle.objects.get())
    models = {Contestant.objects.get(pk=pk).revision.language_model.slug for pk in shown(battle)}
    seen = battle.impression
    assert (models < set(kept), seen.pair_design, seen.p_pair) == (True, "drawn", pytest.approx(1 / 3))
    assert (seen.p_side, seen.parameters["mode"]) == (0.5, "own_set")
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert not [canary for canary in canaries if canary in page]
    vote(battle, person)
    after = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert "It counts on your own board, and on no leaderboard." in after
    assert '"arena.KeptModel": [\n' in "".join(own_data(person, now=NOW))
    erase_own(person_id=person.pk, withdraws=False, now=NOW)
    assert not KeptModel.objects.exists()


def test_caps_hold_over_all_modes_together():
    make_models(3)
    make_arena(modes=ALL, battles_per_day=2)
    client, _person = visitor()
    client.post(reverse("battle-set"), {"named": slugs()})
    assert start(client, "start-battle").status_code == 302
    assert start(client, "battle-choose", named=slugs()[:2]).status_code == 302
    assert [start(client, where).status_code for where in ("start-battle", "battle-choose", "battle-own")] == [429] * 3


def test_three_are_named_or_of_an_own_set_as_well():
    make_models(4)
    arena, person = arena_of(3, modes=ALL), make_person()
    assert len(shown(named(person, arena, slugs()[0]))) == 3
    keep_models(arena=arena, person=person, slugs=slugs(), now=NOW)
    battle = begin(person, arena=arena, mode=Mode.OWN_SET)
    assert battle.impression.p_pair == pytest.approx(1 / 4)


def _ticked(campaign: Campaign) -> tuple[int, ...]:
    """The sources that a new dataset takes unless somebody asks for more."""
    return tuple(DatasetForm(supplies(campaign)).fields["sources"].initial)


def _summary(campaign: Campaign) -> Any:
    return summary_to_json(replace(summarised(campaign, NOW), sequence=0, progress=Progress()))


# Items and slots are of all battles, whoever arranged them; judgments are told from them here.
READERS: dict[str, Callable[[Campaign], Any]] = {
    **{
        name: CONSUMERS[f"annotation/{name}"]
        for name in (
            *("queries/costs.py", "queries/gold.py", "queries/pairs.py", "queries/said.py"),
            *("use_cases/make_batch.py", "use_cases/refresh_board.py"),
        )
    },
    "queries/log.py": lambda c: (
        list(standing_judgments(c).values_list("pk", flat=True)),
        list(standing_answers(c, numbered=False).values_list("pk", flat=True)),
    ),
    "queries/quality.py": lambda c: (
        replace(progress_of(c, NOW), open=0, claimed=0, done=0, taken=0),
        _summary(c),
        groups(c),
    ),
    "queries/reviews.py": lambda c: queue_of(c, Wanted(), None).ids,
    "datasets/previews.py": lambda c: ([each.judgments for each in offers() if each.campaign == c], _ticked(c)),
    "datasets/scope.py": lambda c: (
        rows_of(scope_of(c, sources=_ticked(c)), "votes"),
        rows_of(scope_of(c, sources=_ticked(c)), "preference_pairs"),
    ),
}
# Nobody is paid in an arena.
OF_NO_BATTLE = {"queries/costs.py"}


def read_all(campaign: Campaign) -> dict[str, Any]:
    number_log()
    return {name: reader(campaign) for name, reader in READERS.items()}


def counted_and_uncounted() -> tuple[Campaign, dict[str, Any], list[Judgment]]:
    """Three counted votes, what every reader makes of them, and then a vote of each uncounted mode."""
    make_models(3)
    arena, person = make_arena(modes=ALL), make_person()
    create_board(slug="modes", name="Modes", campaign=arena.campaign, now=NOW, public=True)
    for _ in range(3):
        voted(person)
    before = read_all(arena.campaign)
    keep_models(arena=arena, person=person, slugs=slugs(), now=NOW)
    battles = [named(person, arena, *slugs()[:2]), answer(begin(person, arena=arena, mode=Mode.OWN_SET))]
    words = {"rationale": "Because I know it."}
    return arena.campaign, before, [vote(battle, person, **words) for battle in battles]


def test_no_reader_counts_a_battle_that_its_visitor_arranged():
    campaign, before, votes = counted_and_uncounted()
    after = read_all(campaign)
    assert [name for name in READERS if before[name] != after[name]] == []
    asked = scope_of(campaign)
    assert (len(rows_of(asked, "votes")[0]), len(votes)) == (5, 2)  # where somebody asks for every source


def test_control_in_an_active_source_every_reader_counts_it():
    campaign, before, _votes = counted_and_uncounted()
    Source.objects.filter(kind__in=[SourceKind.NAMED, SourceKind.OWN_SET]).update(
        kind=SourceKind.IMPORT, state=SourceState.ACTIVE
    )
    after = read_all(campaign)
    assert {name for name in READERS if before[name] == after[name]} == OF_NO_BATTLE


def test_the_database_lets_no_uncounted_source_be_active():
    campaign, _before, _votes = counted_and_uncounted()
    for values in ({"state": SourceState.ACTIVE}, {"kind": SourceKind.IMPORT}):
        with pytest.raises(IntegrityError, match="judges_stand_apart"), transaction.atomic():
            Source.objects.filter(campaign=campaign, kind=SourceKind.NAMED).update(**values)


def test_a_snapshot_is_computed_again_and_the_own_board_has_all_votes():
    campaign, _before, votes = counted_and_uncounted()
    number_log()
    snapshot = refresh_board(board_id=campaign.boards.get(slug="modes").pk, now=NOW)
    assert (snapshot.judgments, rebuild(snapshot) == snapshot.standings) == (3, True)
    person = votes[0].respondent.person
    (own,) = own_boards(person)
    assert (own.votes, own.uncounted) == (5, 2)
    _page, listed = own_battles(person, "1")
    assert Counter(each.mode_words for each in listed) == {"": 3, "Choose the models": 1, "My models": 1}


def test_what_is_open_in_an_arranged_battle_moves_no_policy():
    make_models(3)
    arena, person = make_arena(modes=ALL), make_person()
    begin(person, arena=arena)
    before = CONSUMERS["annotation/queries/pairs.py"](arena.campaign)
    begin(person, arena=arena, mode=Mode.NAMED, named=slugs()[:2])
    assert CONSUMERS["annotation/queries/pairs.py"](arena.campaign) == before


def test_a_conversation_that_goes_on_from_an_arranged_battle_is_counted_no_more_than_it():
    make_models(2)
    arena, person = make_arena(modes=ALL), make_person()
    battle = named(person, arena, *slugs())
    cast_vote(
        battle_id=battle.pk,
        turn_count=1,
        person=person,
        key=new_key(),
        answers={"preference": {"choice": "a", "strength": 2}},
        goes_on=True,
        now=timezone.now(),
    )
    following = continue_battle(
        battle_id=battle.pk, prompt="And?", place=None, person=person, network="", key=new_key(), now=timezone.now()
    )
    assert (following.mode, following.item.source.kind) == ("named", SourceKind.NAMED)
