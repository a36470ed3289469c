"""Levels from scores: least squares as anybody would do it by hand, with intervals that hold the truth."""

import numpy as np
import pytest

from ranking import (
    Covariance,
    NoComparisons,
    NoVariation,
    Scored,
    ShapeMismatch,
    TooFewAnswers,
    UnknownIndex,
    fit_scores,
    rank_ranges,
)

TRUTH = np.array([0.8, 0.3, 0.0, -0.4, -0.7])


def world(rng, *, prompts=60, people=25, each=3, shown=3, spread=0.5, lenient=1.0) -> Scored:
    """Some of five contestants at a time; each prompt has a part for every contestant, each person a level."""
    m, n = len(TRUTH), prompts * each
    of_prompt, of_person = spread * rng.standard_normal((prompts, m)), lenient * rng.standard_normal(people)
    prompt, person = np.repeat(np.arange(prompts), each), rng.integers(0, people, n)
    shown_on = np.array([rng.permutation(m)[:shown] for _ in range(prompts)])
    contestant = shown_on[prompt]
    score = TRUTH[contestant] + of_prompt[prompt[:, None], contestant] + of_person[person][:, None]
    score = score + 0.7 * rng.standard_normal(score.shape)
    return Scored(
        contestant=contestant.ravel(),
        score=score.ravel(),
        start=shown * np.arange(n + 1),
        count=m,
        annotator=person,
        prompt=prompt,
    )


def test_levels_are_those_of_a_regression_on_contestants_and_judgments():
    scored = world(np.random.default_rng(1))
    judgment = np.repeat(np.arange(len(scored)), scored.lengths)
    design = np.column_stack((np.eye(5)[scored.contestant], np.eye(len(scored))[judgment]))
    by_hand = np.linalg.lstsq(design, scored.score, rcond=None)[0][:5]
    fit = fit_scores(scored)
    assert np.allclose(np.diff(fit.strength), np.diff(by_hand))
    assert fit.gauge @ fit.strength == pytest.approx(0.0, abs=1e-12)
    assert np.allclose(fit.level - fit.strength, scored.score.mean())
    residual = scored.score - design @ np.linalg.lstsq(design, scored.score, rcond=None)[0]
    variance = residual @ residual / (len(residual) - np.linalg.matrix_rank(design))
    own = variance * np.linalg.pinv(design.T @ design)[:5, :5]
    plain = fit_scores(scored, covariance=Covariance.HESSIAN)
    difference = own[0, 0] + own[1, 1] - 2 * own[0, 1]
    assert plain.difference_variance()[0, 1] == pytest.approx(difference)


def test_single_scores_give_means_on_their_own_scale():
    rng = np.random.default_rng(2)
    contestant, score = rng.integers(0, 3, 300), rng.normal(3.0, 1.0, 300)
    fit = fit_scores(Scored(contestant=contestant, score=score, start=np.arange(301), count=4))
    means = [score[contestant == place].mean() for place in range(3)]
    assert np.allclose(fit.level[:3], means)
    assert np.isnan(fit.level[3])
    assert not fit.within
    errors = [score[contestant == place].std() / np.sqrt((contestant == place).sum()) for place in range(3)]
    assert np.allclose(fit.standard_error()[:3], errors)


@pytest.mark.parametrize("people", [6, 40])
def test_intervals_of_differences_hold_the_truth(people):
    """Prompts are drawn anew in each world; two intervals in three that leave out clusters would not hold it."""
    rng, hits, naive, ranks, worlds = np.random.default_rng(people), 0, 0, 0, 240
    truth = TRUTH - TRUTH.mean()
    for _ in range(worlds):
        scored = world(rng, people=people, each=4)
        fit, plain = fit_scores(scored), fit_scores(scored, covariance=Covariance.HESSIAN)
        gap = fit.strength[0] - fit.strength[1]
        reach = 2.001  # t with 59 degrees of freedom
        hits += abs(gap - 0.5) < reach * np.sqrt(fit.difference_variance()[0, 1])
        naive += abs(gap - 0.5) < reach * np.sqrt(plain.difference_variance()[0, 1])
        ranges = rank_ranges(fit)
        places = 1 + (truth[:, None] < truth[None, :]).sum(axis=1)
        ranks += bool(((ranges.lower <= places) & (places <= ranges.upper)).all())
    print(
        f"{people} people: held {hits / worlds:.3f}, without clusters {naive / worlds:.3f}, ranks {ranks / worlds:.3f}"
    )
    assert 0.91 <= hits / worlds <= 0.985
    assert naive / worlds < 0.88
    assert ranks / worlds > 0.9


def test_contestants_that_never_met_are_groups():
    scored = Scored(
        contestant=[0, 1, 0, 1, 2, 3, 2, 3], score=[1.0, 2, 1, 3, 5, 4, 5, 2], start=[0, 2, 4, 6, 8], count=4
    )
    fit = fit_scores(scored)
    assert fit.evidence.component.tolist() == [0, 0, 1, 1]
    assert "not_connected" in fit.notes
    assert fit.strength[1] - fit.strength[0] == pytest.approx(1.5)


def test_what_says_nothing_is_refused():
    with pytest.raises(NoVariation):
        fit_scores(Scored(contestant=[0, 1, 0, 1], score=[2.0] * 4, start=[0, 2, 4], count=2))
    with pytest.raises(TooFewAnswers):
        fit_scores(Scored(contestant=[0, 1], score=[2.0, 3.0], start=[0, 2], count=2))
    with pytest.raises(NoComparisons):
        fit_scores(Scored(contestant=[0, 0], score=[2.0, 3.0], start=[0, 1, 2], count=2))
    with pytest.raises(UnknownIndex):
        Scored(contestant=[2], score=[2.0], start=[0, 1], count=2)
    with pytest.raises(ShapeMismatch):
        Scored(contestant=[1], score=[2.0], start=[0, 2], count=2)
