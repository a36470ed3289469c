"""Plackett-Luce strengths from rankings of any number of contestants, partial ones and ties included.

The best is chosen from all with P(i) = e^θ_i / Σ_j e^θ_j, the next from the rest, and so on (Plackett 1975, "The
analysis of permutations", J. R. Stat. Soc. C 24). Ties: Turner, van Etten, Firth & Kosmidis 2020, "Modelling
rankings in R: the PlackettLuce package", Comput. Stat. 35, section 2: a tied group of k is chosen together, with
prevalence δ_k for each size k that occurs; sizes that nobody tied have δ = 0, which is their maximum. On rankings of
two this is Bradley-Terry, and Davidson with ν = δ_2 where there are ties.

One ranking is one independent observation of the sandwich: its stages share a person. Settings as in `bradley_terry`;
δ has no prior. With `adjust` an entry's utility is θ_i + x·β, x from `Rankings.covariates`, such as its latency, and
from the `position` it was shown at, everyone's own under Side.ANNOTATOR (`ranked_columns`). `VirtualTie` here is a tie
that counts half either way, outside the model of ties.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, refuse_without_maximum, warm_start
from .choice_stages import ChoiceModel, choice_model
from .clusters import Spread, apart, spread_of
from .connectivity import find_groups
from .counts import BothBad, Counts
from .covariates.adjustment import Adjustment, Columns, Effects
from .covariates.ascent import climb_with_effects
from .covariates.leaning import Peak, Slopes, climb_sides
from .covariates.side import Leanings
from .errors import OnlyTies
from .gauge import Gauge, gauged
from .newton import Optimum, refuse_flat
from .options import checked
from .pair_table import PairTable, tabulate
from .priors import Prior
from .ranked_columns import AdjustedChoices, PlainChoices, ranked_columns
from .rankings import Rankings
from .strengths import Covariance, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class PlackettLuceFit(StrengthFit):
    """A `StrengthFit` with the prevalence of ties.

    In `evidence` a ranking of L counts as one battle for each of its members, 1/(L - 1) against each other one.
    """

    tied: Ints  # (D,) sizes of tied groups that occur, ascending
    log_delta: Floats  # (D,) ln δ of each
    log_delta_covariance: Floats  # (D, D)
    prior: Prior | None
    effects: Effects | None = None  # of `adjust`
    leanings: Leanings | None = None  # under Side.ANNOTATOR, for each place nearer to the first shown

    @property
    def delta(self) -> Floats:
        """(D,) of a group of k: against equals, k tied are δ_k times as likely as one chosen group of one."""
        return np.exp(self.log_delta)

    def win_probability(self) -> Floats:
        """(M, M) P(i is placed above j) where the two are ranked alone."""
        half = 0.5 * (self.strength[:, None] - self.strength[None, :])
        return np.asarray(np.exp(half) / (2.0 * np.cosh(half) + self._delta_of_two()))

    def tie_probability(self) -> Floats:
        """(M, M) of the two ranked alone; zero if no two ever tied."""
        half = 0.5 * (self.strength[:, None] - self.strength[None, :])
        return np.asarray(self._delta_of_two() / (2.0 * np.cosh(half) + self._delta_of_two()))

    def _delta_of_two(self) -> float:
        return float(self.delta[self.tied == 2].sum())


@checked
def fit_plackett_luce(
    rankings: Rankings,
    *,
    adjust: Adjustment | None = None,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> PlackettLuceFit:
    """Strengths of every contestant that was ranked with another, and δ, at the joint maximum.

    Raises NoComparisons; OnlyTies where ties of some size happened whenever they could, so that δ has no bound;
    with prior=None NotConnected, NotStronglyConnected and NoConvergence; BadParameter where ties of many make too
    many groups to choose from; MissingLabels, TooFewClusters, UnknownIndex, ShapeMismatch; adjusted, BadCovariate.
    """
    table = tabulate(_pairs(rankings), BothBad.LEAVE_OUT)
    if prior is None:
        refuse_without_maximum(table)
    used = _used(rankings, table.present)
    found = _fitted(used, table, adjust, prior, covariance, warm_start(start, table))
    optimum, spread, effects = found.peak.optimum, found.spread, slice(used.count, used.count + found.columns.count)
    point = optimum.point
    return PlackettLuceFit(
        **gauged(point, optimum.inverse, spread, table, gauge),
        evidence=table.evidence(provisional_below),
        floor=floor,
        log_likelihood=found.peak.rows.log_likelihood(point),
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        tied=found.ties,
        log_delta=point[effects.stop :],
        log_delta_covariance=spread.covariance[effects.stop :, effects.stop :],
        prior=prior,
        effects=found.columns.effects(point[effects], spread.covariance[effects, effects]),
        leanings=found.peak.leanings,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The maximum in θ, β and ln δ."""

    peak: Peak
    spread: Spread
    ties: Ints  # (D,)
    columns: Columns


def _fitted(
    used: Rankings,
    table: PairTable,
    adjust: Adjustment | None,
    prior: Prior | None,
    covariance: Covariance,
    start: Floats | None,
) -> _Found:
    strength = np.zeros(used.count) if start is None else start - start.mean()
    columns = Columns.none(len(used.contestant)) if adjust is None else ranked_columns(used, adjust)
    choices = PlainChoices(choice_model(used)) if adjust is None else AdjustedChoices.of(used, columns)
    model = choices.model
    _refuse_unbounded_ties(model)
    first = np.concatenate((strength, np.zeros(columns.count + len(model.ties))))
    together = (table.groups.weak[:, None] == table.groups.weak[None, :]).astype(np.float64)

    def climb_from(slopes: Slopes, start: Floats) -> Optimum:
        found = climb_with_effects(slopes, start, columns, prior, together)
        if prior is None:
            refuse_flat(found, float(min(stage.weight.min() for stage in model.stages)))
        return found

    if isinstance(choices, PlainChoices) or adjust is None:
        peak = Peak(climb_from(choices.derivatives, first), choices)
    else:
        peak = climb_sides(choices, adjust.side, used.annotator, first, climb_from)
    labelled = None if used.annotator is None and used.prompt is None else used
    spread = spread_of(
        labelled,
        covariance,
        peak.optimum.inverse,
        lambda: apart(peak.rows.scores(peak.optimum.point), used.weight),
        lambda _: peak.rows.scores(peak.optimum.point),
    )
    return _Found(peak, spread, model.ties, columns)


def _pairs(rankings: Rankings) -> Counts:
    """Each ranking of L as its L(L - 1)/2 pairs, of weight 1/(L - 1): who met and beat whom, not for the fit itself."""
    size, lengths = rankings.count, rankings.lengths
    wins, ties = np.zeros(size * size), np.zeros(size * size)
    for length in np.unique(lengths[lengths > 1]):
        rows = np.flatnonzero(lengths == length)
        entry = rankings.start[rows][:, None] + np.arange(length)
        one, other = np.triu_indices(int(length), 1)
        share = np.ones(len(rows)) if rankings.weight is None else rankings.weight[rows]
        weight = np.repeat(share / (length - 1.0), len(one))
        first, second = rankings.contestant[entry[:, one]].ravel(), rankings.contestant[entry[:, other]].ravel()
        ahead = (rankings.place[entry[:, other]] - rankings.place[entry[:, one]]).ravel()
        wins += np.bincount(
            np.where(ahead > 0, first * size + second, second * size + first), weight * (ahead != 0), size**2
        )
        ties += np.bincount(first * size + second, weight * (ahead == 0), size**2)
    return Counts.of(wins.reshape(size, size), ties.reshape(size, size), ties_mirrored=False)


def _used(rankings: Rankings, present: Bools) -> Rankings:
    """The rankings behind the table, contestants numbered as in its `index`."""
    kept = rankings.lengths > 1
    if rankings.weight is not None:
        kept &= rankings.weight > 0
    if not kept.all():
        rankings = rankings.select(kept)
    if present.all():
        return rankings
    return replace(rankings, contestant=(np.cumsum(present) - 1)[rankings.contestant], count=int(present.sum()))


def _refuse_unbounded_ties(model: ChoiceModel) -> None:
    """Raises OnlyTies unless each size of group was passed over for each other one, perhaps through others."""
    sizes = np.append(1, model.ties)
    chosen = np.zeros((len(sizes), len(sizes)), dtype=bool)
    for stage in model.stages:
        possible = sizes <= stage.sets.shape[1]
        chosen[np.isin(sizes, stage.order)] |= possible
    if (groups := find_groups(chosen)).separated or not groups.connected:
        raise OnlyTies(
            f"Ties of {', '.join(str(size) for size in model.ties)} happened whenever they could, so their prevalence "
            "has no bound; break them, or add rankings without."
        )
