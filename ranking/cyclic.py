"""Preferences that may go in circles: logit P(i over j) = θ_i - θ_j + Σ_r (a_ir·b_jr - b_ir·a_jr).

Bradley-Terry plus a skew-symmetric matrix of rank 2R (Chen & Joachims 2016, "Modeling intransitivity in matchup and
comparison data", WSDM, section 4.2, "blade-chest-inner"; the general preference model of Zhang et al. 2024, "Beyond
Bradley-Terry models", section 4). θ has the prior of the boards, a and b a ridge: ln p = -ridge/2·Σ(a² + b²) + const.

a and b are known up to Sp(2R), the maps that keep their skew form, and θ itself is one more such rank where the ridge
allows it: only P is reported. Its errors are by the delta method, from the covariance that `covariance` asks for; the
ridge's bias is not in them. The loss has several minima: L-BFGS from `starts` draws, the lowest kept. Which R, 0
included, is for `choose_cyclic_rank` to say, from votes that the fit has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from .arrays import Floats, lock
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from .clusters import Spread
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .covariates.adjustment import Adjustment, Effects
from .covariates.side import Leanings
from .cyclic_columns import AdjustedModel, lowest_adjusted
from .cyclic_model import Model
from .errors import BadParameter
from .options import checked
from .pair_table import tabulate
from .priors import Prior
from .strengths import Clustering, Covariance, Evidence, Note, Ratings, ratings, two_sided_quantile

RIDGE = 0.1
STARTS = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class CyclicFit:
    """The probability of each preference, circles allowed; NaN beside an absent contestant."""

    probability: Floats  # (M, M) P(i over j), a tie counting half; with its transpose it sums to one
    standard_error: Floats  # (M, M) of P under `clustering`, 0 on the diagonal
    rank: int  # R
    ridge: float
    strength: Floats  # (M,) mean log-odds against everyone present, which circles leave alone; NaN for the absent
    covariance: Floats  # (M, M) of those
    evidence: Evidence
    clustering: Clustering
    log_likelihood: float  # of the votes, without prior and ridge
    start_losses: Floats  # (starts,) minus the penalised log-likelihood from each start; all alike = one minimum
    notes: tuple[Note, ...]
    effects: Effects | None = None  # of `adjust`; `probability` is at equal covariates and without a side
    leanings: Leanings | None = None  # under Side.ANNOTATOR; `start_losses` are without them

    def __post_init__(self) -> None:
        lock(self)

    def to_points(self, level: float = 0.95) -> Ratings:
        """`strength` on the public scale. Who beats whom in a circle is in `probability` alone."""
        reach = two_sided_quantile(level, self.clustering.degrees_of_freedom)
        error = np.sqrt(np.maximum(self.covariance.diagonal(), 0.0))
        return ratings(self.strength, error, reach, self.evidence, level)


@checked
def fit_cyclic(
    data: Comparisons | Counts,
    *,
    rank: int,
    rng: np.random.Generator,
    ridge: float = RIDGE,
    prior: Prior = BOARD_PRIOR,
    starts: int = STARTS,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    provisional_below: float = PROVISIONAL_BELOW,
) -> CyclicFit:
    """P of every pair of contestants with a comparison; rank 0 is Bradley-Terry.

    Raises NoComparisons, BadParameter, NoConvergence, MissingLabels, TooFewClusters; BadCovariate, ShapeMismatch.
    """
    if rank < 0 or starts < 1 or not ridge > 0.0:
        raise BadParameter(f"rank {rank}, starts {starts}, ridge {ridge}; give rank >= 0, starts >= 1, ridge > 0.")
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    model = Model(table, rank, ridge, prior)
    if adjust is None:
        found = _plain(model, rng, starts, table.labelled_rows(data, both_bad), covariance)
    else:
        found = _adjusted(AdjustedModel.of(model, data, both_bad, adjust), adjust, rng, starts, covariance)
    return CyclicFit(
        **_preferences(model, found),
        rank=rank,
        ridge=ridge,
        evidence=table.evidence(provisional_below),
        clustering=found.spread.clustering,
        log_likelihood=found.log_likelihood - np.log(2.0) * table.own_total,
        start_losses=found.losses,
        notes=found.spread.notes + table.groups.notes,
        effects=found.effects,
        leanings=found.leanings,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The lowest minimum."""

    point: Floats  # (m, 1 + 2R)
    spread: Spread  # of the point, and then of effects
    log_likelihood: float
    losses: Floats
    effects: Effects | None = None
    leanings: Leanings | None = None


def _preferences(model: Model, found: _Found) -> dict[str, Floats]:
    """Of every pair, and of each contestant against all."""
    logit, covariance = model.logit(found.point), found.spread.covariance
    chance = expit(logit)
    return {
        "probability": model.table.embed_square(chance),
        "standard_error": model.table.embed_square(
            chance * (1.0 - chance) * model.logit_error(found.point, covariance)
        ),
        "strength": model.table.embed(logit.mean(axis=1), np.nan),
        "covariance": model.table.embed_square(model.mean_covariance(found.point, covariance)),
    }


def _plain(
    model: Model, rng: np.random.Generator, starts: int, rows: Comparisons | None, covariance: Covariance
) -> _Found:
    point, losses = model.best(rng, starts)
    return _Found(point, model.spread(point, rows, covariance), model.log_likelihood(point), losses)


def _adjusted(
    model: AdjustedModel, asked: Adjustment, rng: np.random.Generator, starts: int, covariance: Covariance
) -> _Found:
    found = lowest_adjusted(model, asked.side, rng, starts)
    spread, (point, effect) = model.spread(found.flat, covariance, found.fitted), model.split(found.flat)
    effects = model.columns.effects(effect, spread.covariance[point.size :, point.size :])
    return _Found(point, spread, found.fitted.log_likelihood(found.flat), found.losses, effects, found.leanings)
