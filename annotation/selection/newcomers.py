"""A cap on the draws that contestants with few votes take, with the exact probability of what is drawn under it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.ratings import Bools
from annotation.selection.draws import NEWCOMERS, PAIR, stream
from ranking import Candidates, Choice, Policy, SelectionState, SetChoice, UniformPolicy, choose_capped_set


@dataclass(frozen=True)
class NewcomerCap:
    """Contestants that are new, and the largest share of the draws that pairs with one of them get together."""

    newcomers: Collection[int]
    share: float


def choose_capped(
    policy: Policy[Any], state: SelectionState, active: Candidates, cap: NewcomerCap, seed: int, attempt: int
) -> Choice | None:
    """A pair under the cap; None where it does not bind: nobody is new, no pair is without a newcomer, or the policy
    gives newcomers no more than their share anyway.

    Newcomers' pairs are taken with probability `share`, by a stream of their own, then the policy draws among these, or
    among the others; P(ij) is the product, so that the pairs of either kind keep their proportions. Draws under a cap
    are no floor: they are not alike over all pairs.
    """
    parts = capped_parts(policy, state, active, cap, seed, attempt)
    if parts is None:
        return None
    takes_new = bool(stream(seed, NEWCOMERS, attempt).random() < cap.share)
    choice = policy.choose(state, parts[0] if takes_new else parts[1], stream(seed, PAIR, attempt))
    chance = cap.share if takes_new else 1.0 - cap.share
    return replace(choice, p_pair=choice.p_pair * chance, floor=False, candidates_digest=active.digest)


def capped_parts(
    policy: Policy[Any], state: SelectionState, active: Candidates, cap: NewcomerCap, seed: int, attempt: int
) -> tuple[Candidates, Candidates] | None:
    """The candidates with pairs of newcomers alone, and with the others alone; None where the cap does not bind."""
    names = active.drawable
    new = np.isin(names, list(cap.newcomers))
    among = active.open_among_drawable
    theirs = among & (new[:, None] | new[None, :])
    others = among & ~theirs
    if not theirs.any() or not others.any():
        return None
    if _share(policy, state, active, theirs, seed, attempt) <= cap.share:
        return None
    of_new, of_others = (Candidates(active.active, active.weight, _open(active, part)) for part in (theirs, others))
    return of_new, of_others


def _share(
    policy: Policy[Any], state: SelectionState, active: Candidates, theirs: Bools, seed: int, attempt: int
) -> float:
    """Of the draws without a cap that those pairs get; of a policy that learns, given the set that it scores."""
    if isinstance(policy, UniformPolicy):
        weight = np.ones(len(active)) if active.weight is None else active.weight[active.weight > 0.0]
        chance = np.where(active.open_among_drawable, np.outer(weight, weight), 0.0)
    else:
        chance = policy.distribution(state, active, stream(seed, PAIR, attempt)).matrix()  # type: ignore[attr-defined]
    return float(chance[theirs].sum() / chance.sum())


def _open(active: Candidates, part: Bools) -> Bools:
    """Over all candidates, those too that have no weight."""
    whole = np.zeros((len(active.active), len(active.active)), dtype=np.bool_)
    place = np.searchsorted(active.active, active.drawable)
    whole[np.ix_(place, place)] = part
    return whole


def choose_capped_several(
    policy: Policy[Any],
    state: SelectionState,
    active: Candidates,
    cap: NewcomerCap,
    seed: int,
    attempt: int,
    count: int,
) -> SetChoice:
    """A set under the cap, where it binds: see `ranking.choose_capped_set`."""
    rng = stream(seed, PAIR, attempt)
    return choose_capped_set(policy, state, active, rng, count, marked=cap.newcomers, share=cap.share)  # type: ignore[arg-type]
