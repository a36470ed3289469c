"""Newcomers take no more than their share of the draws, and each category is learned by itself, as an arena asks."""

from collections import Counter
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import CategorySelection, Contestant
from annotation.queries.pairs import due_selections, known_of, known_of_category
from annotation.selection import Candidate, Known, NewcomerCap, choose
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.sequence_log import sequence_log
from arena.use_cases.save_arena import BadSettings, save_arena
from tests.arena.factories import begin, make_arena, make_models, votable
from tests.arena.voting import vote
from tests.factories import make_person, make_user

NAMES = [3, 5, 8, 13, 21]
NEW = {3, 21}
POLICIES = ("uniform", "balanced", "robust", "double_thompson", "d_optimal", "arena_rule")


@cache
def learned():
    """Five contestants, two of whom have hardly met anybody, and one of these with a pair that is out."""
    wins = {(5, 8): 9.0, (8, 5): 6.0, (8, 13): 8.0, (13, 8): 7.0, (5, 13): 11.0, (13, 5): 4.0, (3, 5): 1.0}
    known = Known.learned(wins=wins, outstanding={(3, 8): 1}, open_pairs=[])
    state = known.state.copy()
    state.enter(21)
    return state


def drawn(policy, seed, share, weights=(1.0,) * 5, **fields):
    return choose(
        policy=policy,
        parameters={"newcomer_share": 1.0} if policy == "robust" else {},
        candidates=[Candidate(name, weight) for name, weight in zip(NAMES, weights, strict=True)],
        seed=seed,
        state=learned(),
        cap=None if share is None else NewcomerCap(NEW, share),
        **fields,
    )


def probabilities(policy, share, weights=(1.0,) * 5, seeds=400):
    """Of each pair that came up, as it was stated: by a policy that does not sample always the same."""
    stated = {}
    for seed in range(seeds):
        selection = drawn(policy, seed, share, weights)
        stated.setdefault(selection.pair, []).append(selection.probability)
    return stated


@pytest.mark.parametrize("weights", [(1.0,) * 5, (3.0, 1.0, 2.0, 1.0, 1.0)])
@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "double_thompson"])
def test_stated_probabilities_add_up_to_one_and_to_the_share_over_every_pair(policy, weights):
    stated = {pair: found[0] for pair, found in probabilities(policy, 0.3, weights, seeds=800).items()}
    assert set(stated) == set(combinations(NAMES, 2))
    assert sum(stated.values()) == pytest.approx(1)
    assert sum(p for pair, p in stated.items() if NEW & set(pair)) == pytest.approx(0.3)


@pytest.mark.parametrize("policy", POLICIES)
def test_pairs_come_as_often_as_is_stated(policy):
    """Weighed by one over its probability each pair counts the same: true of any draw whose probabilities are right."""
    seeds = 1200
    totals = Counter()
    newcomers = 0
    for seed in range(seeds):
        selection = drawn(policy, seed, 0.3)
        totals[selection.pair] += 1 / selection.probability
        newcomers += bool(NEW & set(selection.pair))
    assert newcomers / seeds == pytest.approx(0.3, abs=0.04)
    assert sum(totals.values()) / seeds == pytest.approx(10, rel=0.3)


def test_control_without_the_cap_newcomers_take_more():
    free = [drawn("arena_rule", seed, None) for seed in range(300)]
    assert np.mean([bool(NEW & set(selection.pair)) for selection in free]) > 0.5


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cap_that_does_not_bind_changes_no_draw(policy):
    for seed in range(10):
        free, capped = drawn(policy, seed, None), drawn(policy, seed, 1.0)
        assert (capped.pair, capped.probability, capped.floor) == (free.pair, free.probability, free.floor)
        assert capped.candidate_digest == free.candidate_digest


def test_where_all_but_one_are_new_the_cap_cannot_hold():
    everybody = NewcomerCap(set(NAMES[1:]), 0.1)
    candidates = [Candidate(name) for name in NAMES]
    selection = choose(policy="uniform", parameters={}, candidates=candidates, seed=1, cap=everybody)
    assert selection.probability == pytest.approx(1 / 10)


@pytest.mark.parametrize("policy", ["uniform", "robust"])
def test_sets_of_three_keep_the_share_and_say_so_and_control_without_it_they_do_not(policy):
    """Two of five are new: one set of three has none of them, and gets what the cap leaves."""
    sets = [drawn(policy, seed, 0.3, count=3) for seed in range(400)]
    assert np.mean([bool(NEW & set(each.contestants)) for each in sets]) == pytest.approx(0.3, abs=0.08)
    assert {round(each.probability, 9) for each in sets if not NEW & set(each.contestants)} == {0.7}
    assert sets[0].parameters["newcomers"] == sorted(NEW)
    assert (sets[0].parameters["newcomer_share"], sets[0].parameters["contestants"]) == (0.3, 3)
    free = [drawn(policy, seed, None, count=3) for seed in range(100)]
    assert np.mean([bool(NEW & set(each.contestants)) for each in free]) > 0.7


# ---- in an arena


def saved(arena, **values):
    save_arena(arena_id=arena.pk, values=values, actor=None, now=timezone.now())
    arena.refresh_from_db()
    arena.campaign.refresh_from_db()
    return arena


def voted(arena, prompt, times):
    for _ in range(times):
        person = make_person()
        vote(votable(person, prompt=prompt, arena=arena), person)


def learned_anew(campaign):
    sequence_log(now=timezone.now())
    refresh_selection(campaign=campaign, now=timezone.now())


@pytest.mark.django_db
def test_an_arenas_cap_is_in_the_log_and_in_the_probability():
    make_models(3)
    arena = saved(make_arena(), newcomer_share=0.25, newcomer_votes=2)
    assert list(due_selections()) == [arena.campaign]
    voted(arena, "Hello?", 9)
    learned_anew(arena.campaign)
    make_models(1)
    impression = begin(arena=arena).impression
    new = Contestant.objects.order_by("-pk")[0].pk
    assert (impression.policy, impression.parameters["newcomers"]) == ("uniform", [new])
    contestants = set(impression.item.responses.values_list("contestant", flat=True))
    expected = 0.25 / 3 if new in contestants else 0.75 / 3
    assert (impression.p_pair, impression.floor) == (pytest.approx(expected), False)


@pytest.mark.django_db
def test_a_category_with_enough_votes_is_learned_by_itself_with_what_is_out_there():
    make_models(3)
    arena = saved(make_arena(), category_votes=3)
    arena.campaign.policy = "arena_rule"
    arena.campaign.save(update_fields=["policy"])
    code, poem = "Write a Python function that adds.", "Write a poem about rain."
    voted(arena, code, 3)
    voted(arena, poem, 2)
    begin(prompt=code, arena=arena)
    begin(prompt=poem, arena=arena)
    learned_anew(arena.campaign)
    kept = {name: known_of_category(arena.campaign, name).state for name in ("code", "creative")}
    whole = known_of(arena.campaign).state
    assert {name: (state.votes, state.outstanding.sum() / 2) for name, state in kept.items()} == {
        "code": (3, 1),
        "creative": (2, 1),
    }
    assert (whole.votes, whole.outstanding.sum() / 2) == (5, 2)
    used = {prompt: begin(prompt=prompt, arena=arena).impression for prompt in (code, poem, "Hello?")}
    assert {prompt: (each.parameters["state"], each.outstanding) for prompt, each in used.items()} == {
        code: ("category code", 1),
        poem: ("whole", 2),
        "Hello?": ("whole", 2),
    }
    saved(arena, category_votes=None)
    assert "state" not in begin(prompt=code, arena=arena).impression.parameters
    assert CategorySelection.objects.count() == 2


@pytest.mark.django_db
def test_admins_set_the_cap_and_nonsense_is_refused(client):
    arena = make_arena()
    client.force_login(make_user(role="campaign_admin"))
    address = reverse("arena-settings", args=[arena.campaign.slug])
    sent = {
        name: value
        for name, value in client.get(address).context["form"].initial.items()
        if not (value is None or value is False or value == [])
    }
    sent["examples"] = ""
    page = client.post(address, sent | {"newcomer_share": "0.2", "newcomer_votes": "30", "category_votes": "500"})
    arena.refresh_from_db()
    arena.campaign.refresh_from_db()
    assert (page.status_code, arena.newcomer_share, arena.newcomer_votes, arena.category_votes) == (302, 0.2, 30, 500)
    assert (arena.campaign.keeps_state, arena.campaign.learns_by_category) == (True, True)
    for nonsense in ({"newcomer_share": "1.5"}, {"newcomer_share": "0"}, {"newcomer_votes": "0"}):
        assert client.post(address, sent | nonsense).status_code == 422
    with pytest.raises(BadSettings):
        saved(arena, newcomer_share=2.0)
