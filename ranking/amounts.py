"""From answers in money or points to rows ready for least squares.

Answers of one annotator on one item (one prompt, one pair) are averaged; pairs are written low index first,
with the orientation kept for the side effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from .arrays import Bools, Floats, Ints
from .clusters import Labels, number
from .comparisons import Comparisons, check_weights
from .errors import BadAmount, MissingLabels, NoComparisons, ShapeMismatch, TooFewAnswers

Membership = csr_array[np.float64, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class AmountRows:
    """n averaged answers over m contestants."""

    low: Ints  # (n,) 0..m-1
    high: Ints  # (n,) above low
    side: Floats  # (n,) mean of +1 where low was shown as A and -1 where as B
    amount: Floats  # (n,) u(low) - u(high)
    outcome: Floats  # (n,) mean outcome, 1 where low was preferred
    covariates: Floats  # (n, c) means, of low minus high; no columns where there are none
    importance: Floats  # (n,) π/q of the prompt, 1 where prompts were drawn as the target has them
    annotator: Labels
    prompt: Labels
    index: Ints  # (m,) the contestants' own numbers
    who: Ints  # (K,) the annotators' own labels, -1 where unknown
    about: Ints  # (X,) the prompts' own labels, -1 where unknown
    left_out: int  # annotators with answers who could not be scaled

    def keep(self, rows: Bools, left_out: int) -> AmountRows:
        """Some rows, everything numbered anew."""
        ends, codes = np.unique(np.concatenate((self.low[rows], self.high[rows])), return_inverse=True)
        low, high = np.split(codes, 2)
        return AmountRows(
            low=low,
            high=high,
            side=self.side[rows],
            amount=self.amount[rows],
            outcome=self.outcome[rows],
            covariates=self.covariates[rows],
            importance=self.importance[rows],
            annotator=number(self.annotator.code[rows]),
            prompt=number(self.prompt.code[rows]),
            index=self.index[ends],
            who=self.who[np.unique(self.annotator.code[rows])],
            about=self.about[np.unique(self.prompt.code[rows])],
            left_out=left_out,
        )


def amount_rows(comparisons: Comparisons, importance: Floats | None) -> AmountRows:
    """Rows with an amount, averaged within annotator and item.

    Raises BadAmount, MissingLabels, ShapeMismatch, BadWeight, NoComparisons.
    """
    if comparisons.amount is None:
        raise BadAmount("The comparisons carry no `amount`; give signed amounts, NaN where nothing was asked.")
    if comparisons.annotator is None or comparisons.prompt is None:
        raise MissingLabels("Worth is averaged by annotator and item: give `annotator` and `prompt` labels.")
    ratio = np.ones(len(comparisons)) if importance is None else np.asarray(importance, dtype=np.float64)
    if ratio.shape != comparisons.amount.shape:
        raise ShapeMismatch(f"importance has shape {ratio.shape}; give one per comparison, {len(comparisons)}.")
    asked = np.isfinite(comparisons.amount) & (comparisons.a != comparisons.b) & (ratio > 0)
    if comparisons.weight is not None:
        asked &= comparisons.weight > 0
    check_weights("importance", ratio)
    if not asked.any():
        raise NoComparisons("No comparison carries an amount; ask for some before fitting worth.")
    return _averaged(comparisons.select(asked), ratio[asked])


def _averaged(comparisons: Comparisons, ratio: Floats) -> AmountRows:
    assert comparisons.annotator is not None
    assert comparisons.prompt is not None
    low, high = np.minimum(comparisons.a, comparisons.b), np.maximum(comparisons.a, comparisons.b)
    sign = np.where(comparisons.a == low, 1.0, -1.0)
    annotator, prompt = number(comparisons.annotator), number(comparisons.prompt)
    pair = number(low * comparisons.count + high)
    answer = annotator.crossed(prompt).crossed(pair)
    weight = np.ones(len(low)) if comparisons.weight is None else comparisons.weight
    mass = np.bincount(answer.code, weights=weight)
    first = np.unique(answer.code, return_index=True)[1]

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(answer.code, weights=weight * values) / mass)

    x = np.empty((len(low), 0)) if comparisons.covariates is None else comparisons.covariates
    rows = AmountRows(
        low=low[first],
        high=high[first],
        side=mean(sign),
        amount=mean(sign * np.asarray(comparisons.amount)),
        outcome=mean(0.5 + sign * (comparisons.outcome - 0.5)),
        covariates=np.reshape([mean(sign * column) for column in x.T], (x.shape[1], len(first))).T,
        importance=mean(ratio),
        annotator=Labels(annotator.code[first], annotator.count),
        prompt=Labels(prompt.code[first], prompt.count),
        index=np.arange(comparisons.count),
        who=np.maximum(comparisons.annotator[np.unique(annotator.code, return_index=True)[1]], -1),
        about=np.maximum(comparisons.prompt[np.unique(prompt.code, return_index=True)[1]], -1),
        left_out=0,
    )
    return rows.keep(np.ones(len(first), dtype=bool), 0)


def only_scalable(rows: AmountRows, min_answers: int) -> AmountRows:
    """The rows of annotators with enough answers, not all of them zero. Raises TooFewAnswers."""
    answers = np.bincount(rows.annotator.code, minlength=rows.annotator.count)
    total = np.bincount(rows.annotator.code, weights=np.abs(rows.amount), minlength=rows.annotator.count)
    scalable = (answers >= min_answers) & (total > 0)
    if not scalable.any():
        raise TooFewAnswers(
            f"None of {rows.annotator.count} annotators gave {min_answers} amounts that are not all zero; "
            "collect more, lower min_answers, or fit Estimand.MONEY."
        )
    return rows.keep(scalable[rows.annotator.code], int((~scalable).sum()))


def only_anchored(rows: AmountRows, annotator: Ints, min_answers: int) -> AmountRows:
    """The rows of the annotators with a scale and enough answers, zeros among them. Raises TooFewAnswers."""
    answers = np.bincount(rows.annotator.code, minlength=rows.annotator.count)
    scalable = np.isin(rows.who, annotator) & (answers >= min_answers)
    if not scalable.any():
        raise TooFewAnswers(
            f"None of {rows.annotator.count} annotators priced the anchors and gave {min_answers} other amounts; "
            "collect more, lower min_answers, or fit Estimand.MONEY."
        )
    return rows.keep(scalable[rows.annotator.code], int((~scalable).sum()))


def membership(labels: Labels) -> Membership:
    """(count, n) sums values of rows by label."""
    rows = len(labels.code)
    return csr_array((np.ones(rows), (labels.code, np.arange(rows))), shape=(labels.count, rows))


def total_by(group: Membership, values: Floats) -> Floats:
    """(count, d) sums of values (n, d) by label."""
    return np.asarray(group @ values)
