"""Plackett-Luce strengths from rankings of any number of contestants, partial ones and ties included.

The best is chosen from all with P(i) = e^θ_i / Σ_j e^θ_j, the next from the rest, and so on (Plackett 1975, "The
analysis of permutations", J. R. Stat. Soc. C 24). Ties: Turner, van Etten, Firth & Kosmidis 2020, "Modelling
rankings in R: the PlackettLuce package", Comput. Stat. 35, section 2: a tied group of k is chosen together, with
prevalence δ_k for each size k that occurs; sizes that nobody tied have δ = 0, which is their maximum. On rankings of
two this is Bradley-Terry, and Davidson with ν = δ_2 where there are ties.

One ranking is one independent observation of the sandwich: its stages share a person. Settings as in `bradley_terry`;
δ has no prior. `VirtualTie` here is a tie that counts half either way, outside the model of ties.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, diags_array

from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, refuse_without_maximum, warm_start
from .choice_stages import ChoiceModel, choice_model, derivatives, log_likelihood, scores
from .clusters import Spread, spread_of
from .connectivity import find_groups
from .counts import BothBad, Counts
from .errors import OnlyTies
from .gauge import Gauge, gauged
from .newton import Optimum, add_to_diagonal, climb, refuse_flat
from .pair_table import tabulate
from .priors import Prior
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


def fit_plackett_luce(
    rankings: Rankings,
    *,
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
    many groups to choose from; MissingLabels, TooFewClusters, UnknownIndex, ShapeMismatch.
    """
    table = tabulate(_pairs(rankings), BothBad.LEAVE_OUT)
    if prior is None:
        refuse_without_maximum(table)
    used = _used(rankings, table.present)
    model = choice_model(used)
    _refuse_unbounded_ties(model)
    optimum = _maximise(model, prior, warm_start(start, table))
    point, count = optimum.point, model.count
    spread = _spread(used, covariance, model, optimum)
    return PlackettLuceFit(
        **gauged(optimum.point, optimum.inverse, spread, table, gauge),
        evidence=table.evidence(provisional_below),
        floor=floor,
        log_likelihood=log_likelihood(point, model),
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        tied=model.ties,
        log_delta=point[count:],
        log_delta_covariance=spread.covariance[count:, count:],
        prior=prior,
    )


def _spread(used: Rankings, wanted: Covariance, model: ChoiceModel, optimum: Optimum) -> Spread:
    point = optimum.point
    labelled = None if used.annotator is None and used.prompt is None else used
    return spread_of(
        labelled, wanted, optimum.inverse, lambda: _meat(point, model, used), lambda _: scores(point, model)
    )


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
    return Counts.of(wins.reshape(size, size), ties.reshape(size, size))


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


def _maximise(model: ChoiceModel, prior: Prior | None, start: Floats | None) -> Optimum:
    count = model.count

    def penalised(point: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(point, model)
        strengths = np.ascontiguousarray(information[:count, :count])
        if prior is None:
            strengths += strengths.trace() / strengths.size
        else:
            slope[:count] += prior.gradient(point[:count])
            add_to_diagonal(strengths, prior.curvature(point[:count]))
        information[:count, :count] = strengths
        return slope, information

    strength = np.zeros(count) if start is None else start - start.mean()
    optimum = climb(penalised, np.append(strength, np.zeros(len(model.ties))))
    if prior is None:
        refuse_flat(optimum, float(min(stage.weight.min() for stage in model.stages)))
    return optimum


def _meat(point: Floats, model: ChoiceModel, rankings: Rankings) -> Floats:
    """(p, p), each ranking apart."""
    rows = scores(point, model)
    if rankings.weight is not None:
        rows = csr_array(diags_array(1.0 / np.sqrt(rankings.weight)) @ rows)
    return np.asarray((rows.T @ rows).toarray())
