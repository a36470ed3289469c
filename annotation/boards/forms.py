"""The order of contestants that were ranked, scored or accepted rather than compared two by two."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit

from annotation.boards.listed import ListedRows
from annotation.boards.order import LEVEL, SCALE, Order, columns_of, details_of, unrated
from annotation.questions import Form
from ranking import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    Answers,
    Comparisons,
    NoComparisons,
    NoLevel,
    NoVariation,
    RankingError,
    Scored,
    ScoreFit,
    StrengthFit,
    TooFewAnswers,
    count_matrix,
    fit_bradley_terry,
    fit_outside_option,
    fit_scores,
    win_rates,
)

# Why there are no ratings, by what the fit refused.
REASONS: dict[type[RankingError], str] = {
    NoComparisons: "not_compared",
    NoVariation: "all_alike",
    NoLevel: "all_alike",
    TooFewAnswers: "too_few_scores",
}
# Scores further apart than this need no second decimal.
WIDE = 20.0


def scale_of(rows: ListedRows) -> Mapping[str, Any]:
    """What a rating counts in: points, the scores' own unit, or percent."""
    if rows.form is Form.SHARE:
        return {"unit": "percent", "decimals": 0, "level": LEVEL}
    if rows.form is Form.SCORES:
        said = rows.said.value
        return {"unit": "score", "decimals": 1 if len(said) and np.ptp(said) > WIDE else 2, "level": LEVEL}
    return SCALE


def order_of(rows: ListedRows) -> Order:
    """Counts of every contestant and, where the answers tell any two apart, ratings and ranks."""
    counted = _counts(rows)
    if rows.form is None:
        return Order(_listed(counted | unrated(rows.count)), {}, [], "nothing_ranks")
    try:
        fit = fit_listed(rows)
    except tuple(REASONS) as refused:
        return Order(_listed(counted | unrated(rows.count)), {}, [], REASONS[type(refused)])
    rated = columns_of(fit) | shown(fit, rows.form)
    _people, _prompts, by_prompt = rows.clusters()
    details = details_of(fit) | ({} if by_prompt else {"covariance": "judgment", "prompts": None})
    return Order(_listed(counted | rated), details, [note.value for note in fit.notes], None)


def fit_listed(rows: ListedRows) -> StrengthFit:
    """The fit that suits the form. What one judgment says is never taken for the word of several people."""
    if rows.form is Form.SCORES:
        people, prompts, _known = rows.clusters()
        said = rows.said
        return fit_scores(
            Scored(
                contestant=said.contestant,
                score=said.value,
                start=said.start,
                count=rows.count,
                annotator=people,
                prompt=prompts,
            )
        )
    if rows.form is Form.SHARE:
        none = np.empty(0, dtype=np.int64)
        nobody = Comparisons(a=none, b=none, outcome=np.empty(0), count=rows.count)
        return fit_outside_option(nobody, answers=_answers(rows))
    return fit_bradley_terry(implied_pairs(rows))


def shown(fit: StrengthFit, form: Form) -> dict[str, Any]:
    """Ratings with intervals in the unit of `scale_of`."""
    points = fit.to_points(LEVEL)
    ends = {"rating": points.points, "lower": points.lower, "upper": points.upper}
    if form is Form.ORDER:
        return ends
    logits = {name: (values - POINTS_AT_ZERO) / POINTS_PER_LOGIT for name, values in ends.items()}
    if isinstance(fit, ScoreFit):
        return {name: values + (fit.centre if fit.within else 0.0) for name, values in logits.items()}
    return {name: 100.0 * expit(values) for name, values in logits.items()}


def implied_pairs(rows: ListedRows) -> Comparisons:
    """Every two responses of a judgment as a comparison. Those of one that holds L of them weigh 2/L each, so that it
    counts as L - 1 votes; all of them share its person and its prompt."""
    said = rows.said
    lengths = np.diff(said.start)
    parts = [np.empty((3, 0), dtype=np.int64)]
    for length in np.unique(lengths[lengths > 1]).tolist():
        judgment = np.flatnonzero(lengths == length)
        one, other = (said.start[judgment][:, None] + ends for ends in np.triu_indices(length, 1))
        parts.append(np.stack((one.ravel(), other.ravel(), np.repeat(judgment, one.shape[1]))))
    one, other, judgment = np.concatenate(parts, axis=1)
    # Places are the better the lower they are, scores the higher.
    ahead = said.value[other] - said.value[one] if rows.form is Form.ORDER else said.value[one] - said.value[other]
    compared = ~((ahead == 0) & rows.open_ties[judgment]) & (said.contestant[one] != said.contestant[other])
    one, other, judgment, ahead = (values[compared] for values in (one, other, judgment, ahead))
    people, prompts, _known = rows.clusters()
    return Comparisons(
        a=said.contestant[one],
        b=said.contestant[other],
        outcome=0.5 + 0.5 * np.sign(ahead),
        count=rows.count,
        weight=2.0 / lengths[judgment],
        annotator=None if people is None else people[judgment],
        prompt=prompts[judgment],
    )


def _answers(rows: ListedRows) -> Answers:
    said = rows.said
    people, prompts, _known = rows.clusters()
    return Answers(
        contestant=said.contestant,
        acceptable=said.value == 1,
        annotator=None if people is None else people[said.judgment],
        prompt=prompts[said.judgment],
    )


def _counts(rows: ListedRows) -> dict[str, Any]:
    """In how many judgments each contestant was judged, how often it was put first of two, and its share of implied
    pairs, a tie as half, or of yes."""
    said = rows.said
    votes = said.per_contestant(~rows.silent)
    total = np.bincount(said.contestant, minlength=rows.count)
    mean = np.divide(
        np.bincount(said.contestant, said.value, rows.count), total, out=np.full(rows.count, np.nan), where=total > 0
    )
    if rows.form in (Form.ORDER, Form.SCORES):
        counts = count_matrix(replace(implied_pairs(rows), weight=None))
        return {"votes": votes, "wins": counts.wins.sum(axis=1).astype(np.int64), "win_rate": win_rates(counts).rate}
    yes = np.bincount(said.contestant, said.value == 1, rows.count).astype(np.int64)
    return {"votes": votes, "wins": yes, "win_rate": mean}


def _listed(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: np.asarray(values).tolist() for name, values in columns.items()}
