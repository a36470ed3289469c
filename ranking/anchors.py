"""How large each annotator's money is, from anchors: items that everyone prices.

Annotator k's amount on anchor x is w = c_k·m_x·(1 + e), e ~ N(0, s²): the error grows with the stake and with the
annotator's unit, both measured by mean |w|. Weighted least squares for c given m and for m given c, in turn. Then
ln c_k is drawn towards its mean, as ln c_k ~ N(0, τ²), τ² what the spread of the ln c_k exceeds s²/anchors by.
Mean ln c = 0.

Only shared items can give a scale. From what people were shown apart from them, one who met high stakes looks rich,
and dividing by that erases the stakes. Anchors whose mean does not differ from zero by two standard errors (an
identical pair) give none, and annotators with under six others, or who price against everyone, get none: for those
there is the raw amount alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .arrays import Bools, Floats, Ints
from .clusters import number
from .comparisons import Comparisons
from .errors import BadAmount, MissingLabels, NoConvergence, ShapeMismatch, TooFewAnswers
from .options import checked

MIN_ANCHORS = 6
TOLERANCE = 1e-9
MOST_ROUNDS = 1000
# In a draw of weights a scale may cross zero; a hundredth of the mean stands in for it.
LEAST = 0.01
LEAST_SPREAD = 0.1


@dataclass(frozen=True, eq=False)
class AnchorScales:
    """c of the annotators with enough anchors; their product is one."""

    annotator: Ints  # (K,) labels
    scale: Floats  # (K,) c
    log_scale_error: Floats  # (K,) standard error of ln c
    magnitude: Floats  # (A,) m, in the unit of the geometric mean annotator
    anchor: Ints  # (A,) prompt labels, those used
    noise: float  # s
    spread: float  # τ
    zero_anchors: Ints  # prompt labels of anchors that told nothing
    left_out: Ints  # labels of annotators without a scale

    def of_rows(self, comparisons: Comparisons) -> Floats:
        """(n,) c of each row's annotator, NaN without one."""
        scales = np.full(len(comparisons), np.nan)
        if comparisons.annotator is None or not len(self.annotator):
            return scales
        place = np.minimum(np.searchsorted(self.annotator, comparisons.annotator), len(self.annotator) - 1)
        known = self.annotator[place] == comparisons.annotator
        scales[known] = self.scale[place[known]]
        return scales


@dataclass(frozen=True, eq=False)
class AnchorAnswers:
    """What K annotators with a scale answered on A anchors that are not zero."""

    amount: Floats  # (K, A) towards the lower contestant, 0 where not answered
    answered: Floats  # (K, A) 1 or 0
    annotator: Ints  # (K,) labels, ascending
    anchor: Ints  # (A,) prompt labels

    def of(self, annotator: Ints) -> AnchorAnswers:
        """Those of some of the annotators, in the order of their labels."""
        place = np.searchsorted(self.annotator, annotator)
        return replace(self, amount=self.amount[place], answered=self.answered[place], annotator=annotator)

    def log_scales(self, annotator: Floats, anchor: Floats) -> Floats:
        """(K, d) ln c under weights (K, d) of annotators and (A, d) of anchors, one column per draw."""
        scale, magnitude = self.alternate(annotator, anchor)
        noise = self.noise(scale, magnitude, annotator, anchor)
        own = noise / self.effective(anchor)
        log_scale = np.log(scale)
        centred = log_scale - np.average(log_scale, axis=0, weights=annotator)
        excess = np.average(centred**2, axis=0, weights=annotator) - np.average(own, axis=0, weights=annotator)
        prior = np.maximum(excess, LEAST_SPREAD**2)
        drawn = centred * prior / (prior + own)
        return np.asarray(drawn - drawn.mean(axis=0))

    def alternate(self, annotator: Floats, anchor: Floats) -> tuple[Floats, Floats]:
        """(K, d) c with mean ln c zero and (A, d) m, before anything is drawn together. Raises NoConvergence."""
        people, items = self._sizes
        z, seen = self.amount / np.outer(people, items), self.answered
        unit = np.exp(np.log(people).mean())
        told, felt = np.ones_like(annotator), np.ones_like(anchor)
        for _ in range(MOST_ROUNDS):
            felt = (z.T @ (annotator * told)) / (seen.T @ (annotator * told**2))
            found = (z @ (anchor * felt)) / (seen @ (anchor * felt**2))
            found = np.maximum(found, LEAST * np.abs(found).mean(axis=0))
            found = found / np.exp(np.log(found).mean(axis=0))
            moved = float(np.abs(np.log(found / told)).max())
            told = found
            if moved < TOLERANCE:
                return told * people[:, None] / unit, felt * items[:, None] * unit
        raise NoConvergence("The annotators' scales do not settle; check the anchors for answers to other items.")

    @cached_property
    def _sizes(self) -> tuple[Floats, Floats]:
        """(K,) and (A,) mean sizes: |w| is about their product, so that they stand in for the unknown errors."""
        people = np.abs(self.amount).sum(axis=1) / self.answered.sum(axis=1)
        items = (np.abs(self.amount) / people[:, None]).sum(axis=0) / self.answered.sum(axis=0)
        return people, items

    def noise(self, scale: Floats, magnitude: Floats, annotator: Floats, anchor: Floats) -> Floats:
        """(d,) s², degrees of freedom of c and m taken off."""
        people, items = self._sizes
        z, told, felt = self.amount / np.outer(people, items), scale / people[:, None], magnitude / items[:, None]
        squares = (annotator * (z**2 @ anchor)).sum(axis=0)
        crossed = (annotator * told * (z @ (anchor * felt))).sum(axis=0)
        explained = (annotator * told**2 * (self.answered @ (anchor * felt**2))).sum(axis=0)
        free = self.answered.sum() / max(self.answered.sum() - sum(self.answered.shape) + 1.0, 1.0)
        return np.asarray(np.maximum(squares - 2.0 * crossed + explained, 0.0) / explained * free)

    def effective(self, anchor: Floats) -> Floats:
        """(K, d) anchors behind each c."""
        return np.asarray((self.answered @ anchor) ** 2 / (self.answered @ anchor**2))


@checked
def anchor_scales(comparisons: Comparisons, anchors: Bools, *, min_anchors: int = MIN_ANCHORS) -> AnchorScales:
    """From the rows marked in `anchors` (n,). Raises all that `anchor_answers` does, and NoConvergence."""
    screened = anchor_answers(comparisons, anchors, min_anchors)
    answers = screened.kept
    people, items = np.ones((len(answers.annotator), 1)), np.ones((len(answers.anchor), 1))
    scale, magnitude = answers.alternate(people, items)
    noise = answers.noise(scale, magnitude, people, items)
    own = (noise / answers.effective(items))[:, 0]
    log_scale = answers.log_scales(people, items)[:, 0]
    prior = max(float(np.var(np.log(scale[:, 0])) - own.mean()), LEAST_SPREAD**2)
    return AnchorScales(
        annotator=answers.annotator,
        scale=np.exp(log_scale),
        log_scale_error=np.sqrt(own * prior / (own + prior)),
        magnitude=magnitude[:, 0],
        anchor=answers.anchor,
        noise=float(np.sqrt(noise[0])),
        spread=float(np.sqrt(prior)),
        zero_anchors=screened.zero_anchors,
        left_out=screened.left_out,
    )


@dataclass(frozen=True, eq=False)
class Screened:
    """Answers that give scales, and what did not."""

    kept: AnchorAnswers
    zero_anchors: Ints  # prompt labels
    left_out: Ints  # annotators' labels


def anchor_answers(comparisons: Comparisons, anchors: Bools, min_anchors: int) -> Screened:
    """Averaged within annotator and anchor.

    Rows of unknown annotators or prompts (-1) are passed over: an anchor must be known as one, and so must who priced
    it. Raises BadAmount, MissingLabels, ShapeMismatch, TooFewAnswers.
    """
    if comparisons.amount is None:
        raise BadAmount("The comparisons carry no `amount`; give signed amounts, NaN where nothing was asked.")
    if comparisons.annotator is None or comparisons.prompt is None:
        raise MissingLabels("A scale needs to know who priced which anchor: give `annotator` and `prompt` labels.")
    _check_mask(comparisons, anchors)
    asked = anchors & np.isfinite(comparisons.amount) & (comparisons.a != comparisons.b)
    asked &= (comparisons.annotator >= 0) & (comparisons.prompt >= 0)
    if comparisons.weight is not None:
        asked &= comparisons.weight > 0
    amount, answered, who, item = _table(comparisons.select(asked))
    used, chosen = _not_zero(amount, answered), np.ones(len(who), dtype=bool)
    while True:
        chosen_now = chosen & (answered[:, used].sum(axis=1) >= min_anchors) & (np.abs(amount[:, used]).sum(axis=1) > 0)
        if not chosen_now.any():
            raise TooFewAnswers(f"Nobody priced {min_anchors} anchors that are not zero; fit Estimand.MONEY.")
        answers = AnchorAnswers(amount[chosen_now][:, used], answered[chosen_now][:, used], who[chosen_now], item[used])
        against = _against(answers)
        if not against.any() and chosen_now.sum() == chosen.sum():
            return Screened(answers, item[~used], np.setdiff1d(comparisons.annotator[asked], answers.annotator))
        chosen = chosen_now
        chosen[np.flatnonzero(chosen_now)[against]] = False


def without_anchors(comparisons: Comparisons, anchors: Bools) -> Comparisons:
    """The same rows, those of the anchors without an amount. Raises BadAmount, ShapeMismatch."""
    if comparisons.amount is None:
        raise BadAmount("The comparisons carry no `amount`; give signed amounts, NaN where nothing was asked.")
    _check_mask(comparisons, anchors)
    return replace(comparisons, amount=np.where(anchors, np.nan, comparisons.amount))


def _check_mask(comparisons: Comparisons, anchors: Bools) -> None:
    if anchors.shape != comparisons.a.shape or anchors.dtype != np.bool_:
        raise ShapeMismatch(f"anchors is {anchors.dtype} of shape {anchors.shape}; give True or False per comparison.")


def _table(rows: Comparisons) -> tuple[Floats, Floats, Ints, Ints]:
    """(K, A) mean amounts towards the lower contestant, whether answered; (K,) and (A,) labels."""
    assert rows.amount is not None
    assert rows.annotator is not None
    assert rows.prompt is not None
    low, high = np.minimum(rows.a, rows.b), np.maximum(rows.a, rows.b)
    who, person = np.unique(rows.annotator, return_inverse=True)
    anchor = number(number(rows.prompt).code * rows.count**2 + low * rows.count + high)
    item = rows.prompt[np.unique(anchor.code, return_index=True)[1]]
    cell, shape = person * anchor.count + anchor.code, (len(who), anchor.count)
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    mass = np.bincount(cell, weights=weight, minlength=shape[0] * shape[1]).reshape(shape)
    signed = np.where(rows.a == low, rows.amount, -rows.amount) * weight
    total = np.bincount(cell, weights=signed, minlength=shape[0] * shape[1]).reshape(shape)
    answered = mass > 0
    return total / np.where(answered, mass, 1.0), answered.astype(np.float64), who, item


def _not_zero(amount: Floats, answered: Floats) -> Bools:
    """(A,) whose mean, each annotator's amounts divided by the own mean size, is two standard errors from zero."""
    size = np.abs(amount).sum(axis=1) / np.maximum(answered.sum(axis=1), 1.0)
    scaled = amount / np.where(size > 0, size, 1.0)[:, None]
    people = answered.sum(axis=0)
    mean = scaled.sum(axis=0) / people
    variance = (answered * (scaled - mean) ** 2).sum(axis=0) / np.maximum(people - 1.0, 1.0)
    return np.asarray((people >= 2) & (np.abs(mean) > 2.0 * np.sqrt(variance / people)))


def _against(answers: AnchorAnswers) -> Bools:
    """(K,) whose amounts point against everyone's."""
    size = np.abs(answers.amount).sum(axis=1) / answers.answered.sum(axis=1)
    common = (answers.amount / size[:, None]).sum(axis=0)
    return np.asarray((answers.amount / common).sum(axis=1) <= 0)
