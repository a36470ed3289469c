"""Choosing and learning from grades, amounts and unequal annotators, not from plain votes alone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from ranking import (
    AmountFormat,
    Answered,
    BadAmount,
    BadOutcome,
    BadParameter,
    Candidates,
    Comparisons,
    DOptimalPolicy,
    GradeFormat,
    RobustPolicy,
    SelectionState,
    UnknownIndex,
    VoteFormat,
    fit_ordinal,
    generator,
    logged_format,
)
from ranking.selection import scores

from .worlds import normal_quantiles

CUTS = (0.4, 1.2, 2.2)
VOTES = VoteFormat()
GAPS = np.array([-6.0, -2.5, -0.3, 0.0, 0.7, 1.9, 5.0])
DISCRETE = [
    VOTES,
    VoteFormat(clarity=1.7),
    VoteFormat(reliability=0.8),
    VoteFormat(clarity=0.6, reliability=0.1),
    GradeFormat(cuts=CUTS),
    GradeFormat(cuts=CUTS, clarity=2.0),
    GradeFormat(cuts=CUTS, clarity=0.7, reliability=0.9),
    GradeFormat(cuts=(0.0, 1.0)),
]
EVERY = [*DISCRETE, AmountFormat(noise=1.3), AmountFormat(noise=0.4, scale=25.0)]
STEP = 1e-5


def answers_of(answer):
    """Every answer with a chance, by the package's words."""
    if isinstance(answer, VoteFormat):
        return np.array([0.0, 1.0])
    most = len(answer.cuts)
    return np.array([grade for grade in range(-most, most + 1) if grade or answer.cuts[0] > 0], dtype=float)


def chance(answer, gap, value):
    """P(value), written down a second time."""
    if isinstance(answer, AmountFormat):
        return norm.pdf(value, answer.scale * gap, answer.scale * answer.noise)
    edges = (0.0,) if isinstance(answer, VoteFormat) else answer.cuts
    edge = np.unique(np.concatenate((-np.array(edges)[::-1], edges)))
    below = np.concatenate(([0.0], expit(edge - answer.clarity * gap), [1.0]))
    meant, place = np.diff(below), int(np.searchsorted(answers_of(answer), value))
    return answer.reliability * meant[place] + (1 - answer.reliability) * meant[len(meant) - 1 - place]


@pytest.mark.parametrize("answer", EVERY, ids=repr)
def test_the_slope_of_an_answer_is_the_difference_of_its_log_likelihood(answer):
    values = [-20.0, 0.3, 9.0] if isinstance(answer, AmountFormat) else answers_of(answer)
    for gap in GAPS:
        for value in values:
            rise = np.log(chance(answer, gap + STEP, value)) - np.log(chance(answer, gap - STEP, value))
            assert float(answer.slope(gap, value)) == pytest.approx(rise / (2 * STEP), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("answer", DISCRETE, ids=repr)
def test_information_is_what_differences_of_the_chances_make_of_it(answer):
    """Σ (dP/dΔ)²/P over all answers, alone and over an array; the mean of the slopes is zero."""
    for gap in GAPS:
        here = np.array([chance(answer, gap, value) for value in answers_of(answer)])
        rise = [chance(answer, gap + STEP, value) - chance(answer, gap - STEP, value) for value in answers_of(answer)]
        expected = (np.square(np.array(rise) / (2 * STEP)) / here).sum()
        assert float(answer.information(gap)) == pytest.approx(expected, rel=1e-5)
        assert here @ answer.slope(gap, answers_of(answer)) == pytest.approx(0.0, abs=1e-12)
    alone = [float(answer.information(gap)) for gap in GAPS]
    np.testing.assert_allclose(answer.information(GAPS), alone, rtol=1e-14)


def test_information_is_the_fitted_models_and_the_papers():
    """Grades as `OrdinalFit.information`; a_k² of scale-BT, and (2η - 1)² of crowd-BT between equals; 1/σ²."""
    a, b, grade = graded(normal_quantiles(5, 1.0), 4000, 3)
    fit = fit_ordinal(comparisons(a, b, grade, 5), levels=3)
    gap = fit.strength[:, None] - fit.strength[None, :]
    np.testing.assert_allclose(GradeFormat(cuts=tuple(fit.cuts)).information(gap), fit.information(), rtol=1e-9)
    np.testing.assert_allclose(VoteFormat(clarity=1.5).information(GAPS), 2.25 * VOTES.information(1.5 * GAPS))
    assert float(VoteFormat(reliability=0.8).information(0.0)) == pytest.approx(0.6**2 / 4)
    assert (VoteFormat(reliability=0.8).information(GAPS) < 0.36001 * VOTES.information(GAPS)).all()
    np.testing.assert_array_equal(AmountFormat(noise=0.5, scale=9.0).information(GAPS), np.full(7, 4.0))


def test_seven_grades_say_more_than_a_vote_and_three_no_less_than_two():
    assert (GradeFormat(cuts=CUTS).information(GAPS) > VOTES.information(GAPS)).all()
    np.testing.assert_allclose(GradeFormat(cuts=(0.0,)).information(GAPS), VOTES.information(GAPS), rtol=1e-12)


def test_plain_votes_keep_every_bit_of_their_draws():
    """The formulas of a vote as they were before other formats: not one rounding may move."""
    rng = np.random.default_rng(4)
    gap, variance, met = rng.normal(0, 2, 500), rng.gamma(1, 0.3, 500), rng.integers(0, 40, 500).astype(float)
    p = expit(gap / np.sqrt(1.0 + (np.pi / 8.0) * variance))
    w = p * (1.0 - p)
    plain = np.log(w * variance)
    plain -= 2.0 * np.log1p(0.2 * met * w)
    plain -= 0.5 * 0.4 * np.square(gap) / variance
    np.testing.assert_array_equal(scores.order_aware(gap, variance, met, 0.2, 0.4), plain)
    q = expit(gap)
    np.testing.assert_array_equal(scores.d_optimal(gap, variance), np.log(q * (1.0 - q)) + np.log(variance))
    np.testing.assert_array_equal(VOTES.slope(gap, 1.0), 1.0 - q)

    first, second = SelectionState.of(range(6)), SelectionState.of(range(6))
    for seed in range(60):
        one = RobustPolicy().choose(first, Candidates(range(6)), generator(seed))
        other = RobustPolicy(answer=VoteFormat(clarity=1.0)).choose(second, Candidates(range(6)), generator(seed))
        assert one == other
        first.record(*one.order, float(seed % 2))
        second.record(*one.order, float(seed % 2), VoteFormat())
    assert first.digest == second.digest
    assert not first.answered


@pytest.mark.parametrize("policy", [RobustPolicy(), DOptimalPolicy()], ids=lambda policy: policy.name)
@pytest.mark.parametrize("answer", EVERY, ids=repr)
def test_the_log_of_a_draw_names_its_format_and_replays(policy, answer):
    """From the logged parameters alone, through JSON's numbers and words."""
    state = SelectionState.restored(range(5), np.arange(25.0).reshape(5, 5) * (1 - np.eye(5)))
    asked = replace(policy, answer=answer)
    choice = asked.choose(state, Candidates(range(5)), generator(9))
    assert logged_format(choice.parameters) == answer
    assert all(isinstance(value, int | float | str | bool) for value in choice.parameters.values())
    again = replace(policy, answer=logged_format(choice.parameters))
    assert again.choose(state, Candidates(range(5)), generator(9)) == choice


def test_a_log_from_before_formats_is_of_votes():
    assert logged_format({"epsilon": 0.1}) == VOTES
    with pytest.raises(BadParameter, match="it is votes, grades or amounts"):
        logged_format({"format": "stars"})


def test_a_noisier_annotators_draw_scores_lower_and_sharper_ones_are_sent_to_closer_pairs():
    gap, variance = np.array([0.0, 0.5, 2.0]), np.full(3, 0.2)

    def score(answer):
        return scores.order_aware(gap, variance, 0.0, 0.0, 0.0, answer)

    assert (score(VoteFormat(reliability=0.8)) < score(VoteFormat(reliability=0.95))).all()
    assert (score(VoteFormat(reliability=0.95)) < score(VOTES)).all()
    assert (score(AmountFormat(noise=2.0)) < score(AmountFormat(noise=1.0))).all()
    assert (score(VoteFormat(clarity=0.5)) < score(VOTES)).all()
    sharp, plain = score(VoteFormat(clarity=3.0)), score(VOTES)
    assert sharp[0] - plain[0] > sharp[1] - plain[1] > 0 > sharp[2] - plain[2]


# -- learning


def graded(truth, rows, seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, len(truth), rows)
    b = (a + rng.integers(1, len(truth), rows)) % len(truth)
    leaning = truth[a] - truth[b] + rng.logistic(size=rows)
    return a, b, np.sign(leaning) * np.searchsorted(CUTS, np.abs(leaning))


def comparisons(a, b, grade, count):
    size = np.abs(grade).astype(np.int64)
    return Comparisons(a=a, b=b, outcome=0.5 + 0.5 * np.sign(grade), strength=size, count=count)


def test_steps_on_grades_approach_the_refit_and_both_the_ordinal_model():
    truth = normal_quantiles(8, 1.0)
    a, b, grade = graded(truth, 3000, 12)
    fit = fit_ordinal(comparisons(a, b, grade, 8), levels=3)
    state = SelectionState.of(range(8))
    asked = GradeFormat(cuts=tuple(fit.cuts))
    while state.votes < 3000:
        row = state.votes
        state.record(int(a[row]), int(b[row]), float(grade[row]), asked)
    assert state.votes_at_refit < 3000
    stepped, error = state.mean.copy(), np.sqrt(state.covariance.diagonal())
    state.refit()
    assert np.abs((stepped - state.mean) / error).max() < 0.2
    np.testing.assert_allclose(error, np.sqrt(state.covariance.diagonal()), rtol=0.1)
    centred = state.mean - state.mean.mean()
    np.testing.assert_allclose(centred, fit.strength - fit.strength.mean(), atol=0.02)
    contrast = np.eye(8)[:-1] - np.eye(8)[1:]
    ours, theirs = (contrast @ each @ contrast.T for each in (state.covariance, fit.hessian_covariance))
    np.testing.assert_allclose(ours.diagonal(), theirs.diagonal(), rtol=0.05)


def test_amounts_are_absorbed_exactly():
    """Normal answers and a normal prior: steps are the posterior itself, Σ = (I + XᵀX/σ²)⁻¹."""
    rng, state, answer = np.random.default_rng(5), SelectionState.of(range(4)), AmountFormat(noise=0.5, scale=3.0)
    rows = [(i, j, 3.0 * (0.4 * (j - i) + 0.5 * rng.standard_normal())) for i in range(4) for j in range(4) if i != j]
    for i, j, amount in rows:
        state._absorb(i, j, amount, answer)
    design = np.array([np.eye(4)[i] - np.eye(4)[j] for i, j, _ in rows])
    covariance = np.linalg.inv(np.eye(4) + design.T @ design / 0.25)
    np.testing.assert_allclose(state.covariance, covariance, atol=1e-12)
    answers = np.array([amount for *_, amount in rows]) / 3.0
    np.testing.assert_allclose(state.mean, covariance @ design.T @ answers / 0.25, atol=1e-12)


def test_knowing_who_is_unreliable_gives_gaps_their_size():
    """Half of the votes come from people who slip three times in ten: taken as plain, they shrink every gap."""
    truth, rng = normal_quantiles(6, 1.5), np.random.default_rng(8)
    told, untold = SelectionState.of(range(6)), SelectionState.of(range(6))
    for number in range(3000):
        i, j = (int(each) for each in rng.choice(6, 2, replace=False))
        answer = VoteFormat(reliability=0.7) if number % 2 else VOTES
        vote = rng.random() < expit(truth[i] - truth[j])
        vote = float(vote if rng.random() < answer.reliability else not vote)
        told.record(i, j, vote, answer)
        untold.record(i, j, vote)
    assert truth @ told.mean / (truth @ truth) == pytest.approx(1.0, abs=0.1)
    assert truth @ untold.mean / (truth @ truth) < 0.8


def test_cycles_show_in_grades_as_they_do_in_votes():
    """Three contestants who beat each other in a ring cannot be ordered, whatever the format."""
    rng = np.random.default_rng(1)
    spread = {}
    for ring in (0.0, 1.5):
        state = SelectionState.of(range(3))
        for number in range(600):
            i = number % 3
            leaning = ring + rng.logistic()
            grade = float(np.sign(leaning) * np.searchsorted(CUTS, abs(leaning)))
            state.record(i, (i + 1) % 3, grade, GradeFormat(cuts=CUTS))
        state.refit()
        spread[ring] = state.pair_variance
    assert spread[0.0] == 0.0
    assert spread[1.5] > 0.5


def test_a_state_restored_from_counts_and_answers_is_the_refitted_one():
    truth = normal_quantiles(5, 1.0)
    a, b, grade = graded(truth, 400, 2)
    state, answered, plain = SelectionState.of(range(5)), Answered(), np.zeros((5, 5))
    for row, (i, j, value) in enumerate(zip(a.tolist(), b.tolist(), grade.tolist(), strict=True)):
        if row % 2:
            state.record(i, j, value, GradeFormat(cuts=CUTS))
            answered.add(GradeFormat(cuts=CUTS), i, j, value)
        else:
            state.record(i, j, float(value > 0))
            plain[(i, j) if value > 0 else (j, i)] += 1
    restored = SelectionState.restored(range(5), plain, answered)
    for _ in range(4):
        state.refit()
        restored.refit()
    np.testing.assert_array_equal(restored.wins, state.wins)
    assert restored.votes == state.votes == 400
    np.testing.assert_allclose(restored.mean, state.mean, atol=1e-5)
    np.testing.assert_allclose(restored.covariance, state.covariance, atol=1e-6)


@pytest.mark.parametrize("answer", [GradeFormat(cuts=CUTS), AmountFormat(noise=0.7)], ids=repr)
def test_drift_is_noticed_in_any_format_and_not_without(answer):
    rng, state = np.random.default_rng(3), SelectionState.of(range(4))

    def value(gap):
        if isinstance(answer, AmountFormat):
            return gap + 0.7 * rng.standard_normal()
        leaning = gap + rng.logistic()
        return float(np.sign(leaning) * np.searchsorted(CUTS, abs(leaning)))

    for _ in range(600):
        i, j = (int(each) for each in rng.choice(4, 2, replace=False))
        state.record(i, j, value(0.0), answer)
    assert not state.drift.raised().any()
    for number in range(300):
        other = 1 + number % 3
        state.record(0, other, value(2.0), answer)
        if state.drift.raised()[0]:
            break
    assert state.drift.raised()[0]


# -- refusals


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (lambda: VoteFormat(clarity=0.0), "give a positive number, 1 for the average"),
        (lambda: VoteFormat(clarity=float("inf")), "give a positive number"),
        (lambda: VoteFormat(reliability=0.5), "leave that annotator out"),
        (lambda: VoteFormat(reliability=1.2), "in 0..1"),
        (lambda: GradeFormat(cuts=()), "give finite ones from 0 up"),
        (lambda: GradeFormat(cuts=(1.0, 0.4)), "give finite ones from 0 up"),
        (lambda: GradeFormat(cuts=(-0.1, 0.4)), "give finite ones from 0 up"),
        (lambda: GradeFormat(cuts=(0.4, float("inf"))), "without those above what anybody said"),
        (lambda: GradeFormat(cuts=(0.4, float("nan"))), "give finite ones"),
        (lambda: AmountFormat(noise=0.0), "noise is 0.0; give a positive number"),
        (lambda: AmountFormat(noise=1.0, scale=-2.0), "scale is -2.0; give a positive number"),
    ],
)
def test_a_format_that_means_nothing_is_refused(make, fix):
    with pytest.raises(BadParameter, match=fix):
        make()


@pytest.mark.parametrize(
    ("answer", "value", "error", "fix"),
    [
        (VoteFormat(clarity=2.0), 0.7, BadOutcome, "use 1"),
        (GradeFormat(cuts=CUTS), 4, BadOutcome, "give a whole number from -3 to 3"),
        (GradeFormat(cuts=CUTS), 0.5, BadOutcome, "give a whole number from -3 to 3"),
        (GradeFormat(cuts=(0.0, 1.0)), 0, BadOutcome, "fit the cuts to answers that include it"),
        (GradeFormat(cuts=(0.4, 0.4)), -1, BadOutcome, "fit the cuts to answers that include it"),
        (AmountFormat(noise=1.0), float("nan"), BadAmount, "give a finite number"),
    ],
)
def test_an_answer_that_does_not_fit_its_format_is_refused_and_changes_nothing(answer, value, error, fix):
    state = SelectionState.of(range(3))
    digest = state.digest
    with pytest.raises(error, match=fix):
        state.record(0, 1, value, answer)
    assert state.digest == digest
    assert (state.votes, bool(state.answered)) == (0, False)
    with pytest.raises(error, match=fix):
        Answered().add(answer, 0, 1, value)


def test_answers_about_unknown_rows_are_refused():
    answered = Answered()
    for i, j in ((1, 1), (-1, 0)):
        with pytest.raises(UnknownIndex, match="give their places among the names"):
            answered.add(VoteFormat(clarity=2.0), i, j, 1.0)
    answered.add(VoteFormat(clarity=2.0), 0, 3, 1.0)
    with pytest.raises(UnknownIndex, match="there are 3 names, from 0"):
        SelectionState.restored(range(3), np.zeros((3, 3)), answered)
