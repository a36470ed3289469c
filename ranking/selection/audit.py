"""Does the adaptive log agree with itself? The board's fit beside estimates that no selection can bias.

All three are Borda scores B_i = mean over opponents j of P(i over j), in which every pair counts alike however often a
policy chose it. Rows must come from a time in which the same contestants were active.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.special import expit

from ..arrays import Bools, Floats
from ..comparisons import Comparisons
from ..counts import BothBad, count_matrix
from ..errors import BadParameter, MissingLabels, NoComparisons, ShapeMismatch
from ..options import checked
from ..pair_table import tabulate
from .refit import choose_prior_variance, fit_posterior, misfit

# Standard errors between two estimates of one score that are worth a look.
FLAGGED = 3.0
# Largest bet of the confidence sequence, as its authors advise.
LARGEST_BET = 0.5


@dataclass(frozen=True, eq=False)
class WeightedBorda:
    """Unbiased whatever the policy, T⁻¹·Σ_t 1{i in pair}·y_t/P_t/(M - 1)."""

    score: Floats  # (M,)
    standard_error: Floats  # (M,)
    lower: Floats  # (M,) confidence sequence: may be looked at after every vote
    upper: Floats  # (M,)
    effective_votes: float  # (Σ 1/P)²/Σ 1/P²: as many uniform votes would say as much


@checked
def weighted_borda(votes: Comparisons, *, least: float, level: float = 0.95) -> WeightedBorda:
    """Inverse-probability Borda scores from `propensity` (n,), in the order the votes were cast.

    `least` is the smallest probability any pair could have, ε/|A|: it bounds a row by 1/(least·(M - 1)), and the
    interval is the empirical-Bernstein confidence sequence of Waudby-Smith & Ramdas 2024, "Estimating means of bounded
    random variables by betting", JRSS B 86, theorem 2, for bounded rows, no model assumed. Raises MissingLabels,
    NoComparisons, BadParameter.
    """
    if votes.propensity is None:
        raise MissingLabels("Every row needs the propensity it was drawn with; see Choice.p_pair.")
    if not len(votes):
        raise NoComparisons("There are no votes yet; collect some first.")
    if not 0.0 < least <= float(votes.propensity.min()) * (1.0 + 1e-9):
        raise BadParameter(f"least is {least}; give ε/|A|, and leave out rows drawn with less.")
    if not 0.0 < level < 1.0:
        raise BadParameter(f"level is {level}; give a probability such as 0.95.")
    bound = 1.0 / (least * (votes.count - 1))
    share = 1.0 / (votes.propensity * (votes.count - 1) * bound)
    parts = [_sequence(_credit(votes, name) * share, 1.0 - level) * bound for name in range(votes.count)]
    score, error, lower, upper = np.array(parts).T
    weight = 1.0 / votes.propensity
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return WeightedBorda(score, error, np.maximum(lower, 0.0), np.minimum(upper, 1.0), effective)


@dataclass(frozen=True, eq=False)
class SelectionAudit:
    """Three estimates of each Borda score, and how far two of them are from the fit in their own standard errors.

    Those bound the error of the difference: the fit is efficient under its model, so what it shares with an unbiased
    estimate takes its own variance off (Hausman 1978, "Specification tests in econometrics", Econometrica 46).
    """

    fitted: Floats  # (M,) from the posterior mode of all votes
    floor: Floats  # (M,) mean result in votes whose pair the floor drew; NaN without any
    weighted: WeightedBorda
    floor_z: Floats  # (M,) (floor - fitted)/error of the floor's
    weighted_z: Floats  # (M,) (weighted - fitted)/error of the weighted
    pair_variance: float  # ω²: how much of a pair strengths do not explain

    @property
    def flagged(self) -> Bools:
        """(M,) either estimate is more than 3 standard errors from the fit: it, or the log, is wrong there."""
        return np.asarray((np.abs(self.floor_z) > FLAGGED) | (np.abs(self.weighted_z) > FLAGGED))


@checked
def audit_selection(votes: Comparisons, floor: Bools, *, least: float) -> SelectionAudit:
    """`floor` (n,) marks rows the floor drew (Choice.floor), `least` as in `weighted_borda`; both-bad rows count half.

    Raises ShapeMismatch and what `weighted_borda` does.
    """
    if floor.shape != (len(votes),):
        raise ShapeMismatch(f"floor has shape {floor.shape}; give one value for each of {len(votes)} votes.")
    weighted = weighted_borda(votes, least=least)
    fitted, pair_variance = _fitted_borda(votes)
    drawn = [_credit(votes, name)[floor & ((votes.a == name) | (votes.b == name))] for name in range(votes.count)]
    met = np.array([len(each) for each in drawn])
    mean = np.array([each.mean() if len(each) else np.nan for each in drawn])
    # At one more vote of a half, so that a few equal results are not taken for certainty.
    spread = (mean * (1.0 - mean) * met + 0.25) / (met + 1.0)
    floor_error = np.sqrt(spread / np.maximum(met, 1))
    return SelectionAudit(
        fitted=fitted,
        floor=mean,
        weighted=weighted,
        floor_z=(mean - fitted) / floor_error,
        weighted_z=(weighted.score - fitted) / weighted.standard_error,
        pair_variance=pair_variance,
    )


def _credit(votes: Comparisons, name: int) -> Floats:
    """(n,) what contestant `name` scored in each row, 0 where it was not shown."""
    return np.where(votes.a == name, votes.outcome, np.where(votes.b == name, 1.0 - votes.outcome, 0.0))


def _sequence(values: Floats, alpha: float) -> Floats:
    """(4,) mean, standard error, lower and upper end after all of `values` (n,) in 0..1."""
    count = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (count + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (count + 1)
    before_mean = np.concatenate(([0.5], mean[:-1]))
    before_variance = np.concatenate(([0.25], variance[:-1]))
    bet = np.minimum(np.sqrt(2.0 * log(2.0 / alpha) / (before_variance * count * np.log1p(count))), LARGEST_BET)
    centre = float(bet @ values) / float(bet.sum())
    spent = float(((values - before_mean) ** 2) @ (-np.log1p(-bet) - bet))
    reach = (log(2.0 / alpha) + spent) / float(bet.sum())
    error = float(values.std()) / np.sqrt(len(values))
    return np.array([float(values.mean()), error, centre - reach, centre + reach])


def _fitted_borda(votes: Comparisons) -> tuple[Floats, float]:
    """(M,) scores of the posterior mode, NaN for the absent, and ω²."""
    table = tabulate(count_matrix(votes), BothBad.HALF)
    wins = table.wins + 0.5 * table.ties
    flat = np.full(len(wins), 1.0)
    first = fit_posterior(wins, 0.0 * flat, flat, 0.0, 0.0 * flat)
    pair_variance = misfit(wins, first.mean, first.covariance)
    prior = flat * choose_prior_variance(wins, first.mean, pair_variance)
    posterior = fit_posterior(wins, 0.0 * flat, prior, pair_variance, first.mean)
    chance = expit(posterior.mean[:, None] - posterior.mean[None, :])
    score = (chance.sum(axis=1) - 0.5) / max(len(wins) - 1, 1)
    return table.embed(score, np.nan), float(pair_variance)
