"""Whether groups of annotators prefer differently: who belongs where, shuffled over the annotators.

The statistic is the likelihood ratio of a Bradley-Terry fit to each group against one to all of them together,
2·(Σ_g ℓ_g(θ_g) - Σ_g ℓ_g(θ)), ties as half a win. Votes of one annotator vary together, so its chi-square reference
would call far too many groups different: here whole annotators change places with all their votes, and nothing is
assumed of how the votes of one of them hang together. Good, "Permutation, parametric and bootstrap tests of
hypotheses", 3rd ed. 2005, section 3; p = (1 + as great)/(1 + shuffles), Phipson & Smyth 2010, "Permutation p-values
should never be zero", Stat. Appl. Genet. Mol. Biol. 9.

For each contestant the statistic is the variance over the groups of its strength, each group's strengths centred. Its
p-value is adjusted for all of them at once by the greatest of each shuffle (Westfall & Young 1993, "Resampling-based
multiple testing", section 2.3), each statistic divided by its own mean over the shuffles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import log_expit

from ..arrays import Bools, Floats, Ints
from ..bradley_terry import bradley_terry_strengths
from ..comparisons import Comparisons
from ..counts import BothBad, Counts
from ..errors import BadParameter, EmptyGroup, MissingLabels
from ..options import checked

SHUFFLES = 299


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """How far the groups of annotators differ, and how often chance alone does as much."""

    strength: Floats  # (G, M) of each group, centred over who is in all of them; NaN where a group met somebody never
    statistic: float  # the likelihood ratio
    p_value: float
    contestant_p: Floats  # (M,) adjusted for all contestants at once; NaN for who is not in every group
    people: Ints  # (G,)
    votes: Floats  # (G,)
    shuffles: int


@checked
def group_difference(
    comparisons: Comparisons,
    groups: Sequence[Ints],
    *,
    rng: np.random.Generator,
    shuffles: int = SHUFFLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> GroupDifference:
    """`groups` are the labels of the annotators of each; somebody may be in several. Who is in none is left out.

    Raises MissingLabels, EmptyGroup where nobody of a group voted, BadParameter for fewer than two groups.
    """
    if len(groups) < 2 or shuffles < 1:
        raise BadParameter(f"{len(groups)} groups, {shuffles} shuffles; give two groups or more, shuffles >= 1.")
    rows, codes, member = _panel(comparisons, groups, both_bad)
    votes = _votes_of_people(rows, codes, len(member))
    found = _statistics(member, votes, rows.count)
    drawn = [_statistics(member[rng.permutation(len(member))], votes, rows.count) for _ in range(shuffles)]
    ratios = np.array([each.ratio for each in drawn])
    return GroupDifference(
        strength=found.strength,
        statistic=found.ratio,
        p_value=float((1 + np.count_nonzero(ratios >= found.ratio)) / (1 + shuffles)),
        contestant_p=_adjusted(found.spread, np.array([each.spread for each in drawn])),
        people=member.sum(axis=0),
        votes=np.asarray(member.T.astype(np.float64) @ np.asarray(votes.sum(axis=1)).ravel()),
        shuffles=shuffles,
    )


@dataclass(frozen=True, eq=False)
class _Statistics:
    strength: Floats
    ratio: float
    spread: Floats  # (M,)


def _panel(comparisons: Comparisons, groups: Sequence[Ints], both_bad: BothBad) -> tuple[Comparisons, Ints, Bools]:
    """The rows of whoever is in a group, whose each is, and (K, G) who is where."""
    if comparisons.annotator is None:
        raise MissingLabels("Whose votes they are is not said; give annotator.")
    kept = (comparisons.a != comparisons.b) & np.isin(comparisons.annotator, np.concatenate(groups))
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        kept &= ~comparisons.both_bad
    rows = comparisons.select(kept & (comparisons.annotator >= 0))
    people = np.unique(np.asarray(rows.annotator))
    member = np.stack([np.isin(people, group) for group in groups], axis=1)
    if not member.any(axis=0).all():
        raise EmptyGroup("Nobody of some group has compared two contestants; leave that group out.")
    return rows, np.searchsorted(people, np.asarray(rows.annotator)), member


def _votes_of_people(rows: Comparisons, codes: Ints, people: int) -> csr_array:
    """(K, M·M) wins of i over j of each annotator, a tie half for either."""
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    place = np.concatenate((rows.a * rows.count + rows.b, rows.b * rows.count + rows.a))
    credit = np.concatenate((weight * rows.outcome, weight * (1.0 - rows.outcome)))
    return csr_array((credit, (np.tile(codes, 2), place)), shape=(people, rows.count**2))


def _statistics(member: Bools, votes: csr_array, count: int) -> _Statistics:
    wins = np.asarray(member.T.astype(np.float64) @ votes).reshape(-1, count, count)
    pooled = _fitted(wins.sum(axis=0))
    own = np.stack([_fitted(each) for each in wins])
    ratio = 2.0 * sum(_likelihood(s, w) - _likelihood(pooled, w) for s, w in zip(own, wins, strict=True))
    everywhere = np.isfinite(own).all(axis=0)
    own = own - (own[:, everywhere].mean(axis=1, keepdims=True) if everywhere.any() else 0.0)
    spread = np.full(count, np.nan)
    spread[everywhere] = own[:, everywhere].var(axis=0)
    return _Statistics(own, float(ratio), spread)


def _fitted(wins: Floats) -> Floats:
    nothing = np.zeros_like(wins)
    return bradley_terry_strengths(Counts(a_wins=wins, b_wins=nothing, ties=nothing, both_bad=nothing))


def _likelihood(strength: Floats, wins: Floats) -> float:
    i, j = np.nonzero(wins)
    return float(wins[i, j] @ log_expit(strength[i] - strength[j]))


def _adjusted(found: Floats, drawn: Floats) -> Floats:
    """(M,) from (M,) and (shuffles, M); a shuffle in which somebody misses a group says nothing of them."""
    known = np.isfinite(drawn)
    mean = np.where(known, drawn, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    scale = np.where(mean > 0, mean, 1.0)
    greatest = np.where(known, drawn / scale, -np.inf).max(axis=1)
    return np.where(
        np.isfinite(found),
        (1 + (greatest[:, None] >= (found / scale)[None, :]).sum(axis=0)) / (1 + len(drawn)),
        np.nan,
    )
