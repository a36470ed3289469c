"""What contestants are worth to people, from answers about how much the better response is worth.

w = U_i - U_j + side + e by weighted least squares with Σ U = 0, w being u(A) - u(B) as typed; ties and true
zeros are 0, refusals to price are left out by the caller (NaN). No amount is clipped or transformed: with
heavy-tailed stakes that would change the best contestant, not only the noise.

Two estimands. PANEL: people count equally. Annotator k's amounts are divided by c_k, the mean of the own |w|,
and the own rows weigh 1/n_k each, so every annotator's total Σ|w| is the same, however large the
amounts and however many the answers; U is in units of a person's average amount. Annotators with fewer than
`min_answers` answers, or only zeros, cannot be scaled and are left out. MONEY: amounts as typed; who types
more counts more.

With `anchors`, rows about items that everyone prices, c_k comes from them alone (`anchors`), and they do not enter the
worths: where people meet different items, the own mean |w| would take a person who met high stakes for a rich one.

With `adjust`, covariates of A minus B and each annotator's own leaning to a side join the least squares
(`worth_columns`); the common side is always in it.

Where prompts were not drawn as the target has them, `importance` is π(prompt)/q(prompt), known up to a
constant; it also enters c_k, and is normalised within each pair so that no pair gains weight by it.

Intervals: U ± t(G - 1)·SE, SE from `draws` of the fit under independent Exp(1) weights on annotators times prompts,
scales refitted in each (Owen & Eckles 2012, "Bootstrapping data arrays of arbitrary order", Ann. Appl. Stat. 6,
section 3, with exponential weights as Rubin 1981). The standard deviation of those draws counts what belongs to a
single answer three times; SE counts it once (`worth_draws`). G is the smaller count of clusters in use. Where every
prompt was answered by one annotator only, prompts lie within annotators, and annotators alone are resampled (Cameron &
Miller 2015, section IV: cluster at the coarser level); likewise the other way round. Under 20 annotators only prompts
are, and the result holds for these annotators.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf, nan

import numpy as np

from .amounts import AmountRows, amount_rows, only_anchored, only_scalable
from .anchors import MIN_ANCHORS, anchor_answers, without_anchors
from .arrays import Bools, Floats, lock
from .clusters import FEW_ANNOTATORS, FEW_CLUSTERS
from .comparisons import Comparisons
from .connectivity import find_groups
from .covariates.adjustment import Adjustment, Effects
from .covariates.side import Leanings
from .errors import BadParameter, TooFewClusters
from .options import checked
from .strengths import Clustering, Covariance, Note, two_sided_quantile
from .uncertainty.rescaling import rescaled
from .worth_columns import WorthBeside, beside_worth
from .worth_draws import Design, Drawn

TAIL = 0.01
HEAVY = 0.15


class Estimand(StrEnum):
    """Whose worth is averaged."""

    PANEL = "panel"  # people count equally
    MONEY = "money"  # amounts count as typed


@dataclass(frozen=True, eq=False)
class WorthIntervals:
    """Worth with Wald intervals, in the fit's unit."""

    worth: Floats  # (M,)
    standard_error: Floats  # (M,)
    lower: Floats  # (M,)
    upper: Floats  # (M,)
    level: float


@dataclass(frozen=True, eq=False, kw_only=True)
class WorthFit:
    """Worths with Σ U = 0 over those present; NaN for contestants without an amount."""

    worth: Floats  # (M,)
    covariance: Floats  # (M, M)
    replicates: Floats  # (draws, M) the fit under each draw of cluster weights; two-way they spread wider than it
    side: float  # mean worth of being shown as A; NaN if it could not be separated
    side_standard_error: float
    present: Bools  # (M,)
    contestant_answers: Floats  # (M,) averaged answers that involve each
    answers: int  # averaged answers in the fit
    annotators_left_out: int  # could not be scaled
    estimand: Estimand
    clustering: Clustering
    tail_share: float  # of Σ|w| carried by the largest 1 % of |w|, as they enter the fit
    heavy_tailed: bool  # tail_share above 15 %: intervals are too short, name no winner
    notes: tuple[Note, ...]
    anchored: bool = False  # scales come from shared anchors
    effects: Effects | None = None  # of `adjust`, the side included
    leanings: Leanings | None = None  # under Side.ANNOTATOR, in the fit's unit

    def __post_init__(self) -> None:
        lock(self)

    def to_intervals(self, level: float = 0.95) -> WorthIntervals:
        """Two-sided, by t with the smaller cluster count less one."""
        error = np.sqrt(self.covariance.diagonal())
        reach = two_sided_quantile(level, self.clustering.degrees_of_freedom) * error
        return WorthIntervals(self.worth, error, self.worth - reach, self.worth + reach, level)

    def draws(self) -> Floats:
        """(draws, M) the replicates, moved so that they vary about the fit as much as `covariance` says."""
        return rescaled(self.replicates, self.worth, self.covariance)

    def probability_best(self) -> Floats:
        """(M,) share of `draws()` in which each contestant is worth most; 0 if not present."""
        best = np.argmax(np.where(self.present, self.draws(), -inf), axis=1)
        return np.asarray(np.bincount(best, minlength=len(self.worth)) / len(self.replicates))


@checked
def fit_worth(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    estimand: Estimand = Estimand.PANEL,
    min_answers: int = 5,
    importance: Floats | None = None,
    anchors: Bools | None = None,
    adjust: Adjustment | None = None,
    draws: int = 2000,
) -> WorthFit:
    """Worth of every contestant with an amount; needs `amount`, `annotator` and `prompt`. importance and anchors (n,).

    The same rng state gives the same replicates. Raises BadAmount, MissingLabels, NoComparisons,
    TooFewAnswers, NotConnected, TooFewClusters, BadWeight, ShapeMismatch, BadParameter; with `adjust` BadCovariate.
    """
    if min_answers < 1 or draws < 2:
        raise BadParameter(f"min_answers is {min_answers} and draws {draws}; give at least 1 and 2.")
    design = worth_design(comparisons, estimand, min_answers, importance, anchors)
    clustering = clustering_of(design.rows)
    beside = beside_worth(design, adjust)
    drawn = beside.design.bootstrap(clustering, draws, rng)
    return _assembled(comparisons.count, beside, drawn, clustering, estimand)


def worth_design(
    comparisons: Comparisons, estimand: Estimand, min_answers: int, importance: Floats | None, anchors: Bools | None
) -> Design:
    """The least squares of `fit_worth`, for the fit and for its sensitivity."""
    if anchors is None:
        rows, priced = amount_rows(comparisons, importance), None
        if estimand is Estimand.PANEL:
            rows = only_scalable(rows, min_answers)
    else:
        answers = anchor_answers(comparisons, anchors, MIN_ANCHORS) if estimand is Estimand.PANEL else None
        rows = amount_rows(without_anchors(comparisons, anchors), importance)
        rows = rows if answers is None else only_anchored(rows, answers.kept.annotator, min_answers)
        priced = None if answers is None else answers.kept.of(rows.who)
    _refuse_unless_connected(rows)
    return Design(rows, scaled=estimand is Estimand.PANEL, anchors=priced)


def _refuse_unless_connected(rows: AmountRows) -> None:
    compared = np.zeros((len(rows.index), len(rows.index)), dtype=bool)
    compared[rows.low, rows.high] = True
    find_groups(compared | compared.T).refuse_unless_joined(rows.index)


def clustering_of(rows: AmountRows) -> Clustering:
    """Raises TooFewClusters."""
    annotators, prompts = rows.annotator.count, rows.prompt.count
    crossed = rows.annotator.crossed(rows.prompt).count
    if annotators < FEW_ANNOTATORS or crossed == annotators:
        kind, clusters = Covariance.PROMPT, prompts
    elif crossed == prompts:
        kind, clusters = Covariance.ANNOTATOR, annotators
    else:
        kind, clusters = Covariance.TWO_WAY, min(annotators, prompts)
    if clusters < 2:
        raise TooFewClusters("All amounts are about one prompt; intervals need amounts on at least two prompts.")
    return Clustering(kind, annotators, prompts, clusters - 1.0)


def _assembled(count: int, beside: WorthBeside, drawn: Drawn, clustering: Clustering, estimand: Estimand) -> WorthFit:
    design, rows, point = beside.design, beside.design.rows, beside.design.solve()

    def embedded(values: Floats) -> Floats:
        full = np.full((*values.shape[:-1], count), nan)
        full[..., rows.index] = values
        return full

    covariance = np.full((count, count), nan)
    covariance[np.ix_(rows.index, rows.index)] = drawn.covariance[: design.count, : design.count]
    answers = np.bincount(np.concatenate((rows.low, rows.high)), minlength=len(rows.index))
    tail = tail_share(np.abs(design.scaled_amounts()))
    return WorthFit(
        worth=embedded(point.worth[0]),
        covariance=covariance,
        replicates=embedded(drawn.solved.worth),
        side=float(point.side[0]) if design.side_is_separable else nan,
        side_standard_error=float(np.sqrt(drawn.covariance[design.count, design.count]))
        if design.side_is_separable
        else nan,
        present=np.isin(np.arange(count), rows.index),
        contestant_answers=np.nan_to_num(embedded(answers.astype(np.float64)), nan=0.0),
        answers=len(rows.low),
        annotators_left_out=rows.left_out,
        estimand=estimand,
        clustering=clustering,
        tail_share=tail,
        heavy_tailed=tail > HEAVY,
        notes=_notes(clustering, design),
        anchored=design.anchors is not None,
        effects=beside.effects(point, drawn),
        leanings=beside.leanings,
    )


def tail_share(magnitudes: Floats) -> float:
    """Share of the sum carried by the largest 1 % of `magnitudes` (n,), at least one of them; 0 if all are 0."""
    total = float(magnitudes.sum())
    largest = np.sort(magnitudes)[-ceil(TAIL * len(magnitudes)) :]
    return float(largest.sum()) / total if total > 0.0 else 0.0


def _notes(clustering: Clustering, design: Design) -> tuple[Note, ...]:
    notes = []
    if design.rows.annotator.count < FEW_ANNOTATORS:
        notes.append(Note.FEW_ANNOTATORS)
    if clustering.degrees_of_freedom + 1.0 < FEW_CLUSTERS:
        notes.append(Note.FEW_CLUSTERS)
    if not design.side_is_separable:
        notes.append(Note.SIDE_NOT_SEPARABLE)
    return tuple(notes)
