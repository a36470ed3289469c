"""Pair effects and the learned prior variance: derivatives, recovery, and what they are for."""

import numpy as np
import pytest
from scipy.special import expit

from ranking import (
    BadParameter,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    NormalPrior,
    ShapeMismatch,
    count_matrix,
    fit_bradley_terry,
    fit_pair_effects,
)
from ranking.pair_effects import (
    PRIOR_VARIANCES,
    _derivatives,
    empirical_bayes_variance,
    log_likelihood,
    overdispersion,
    pair_weights,
    posterior_mode,
)
from tests.ranking.worlds import bradley_terry_world, normal_quantiles, random_pairs


def pair_world(count, per_pair, pair_sd, seed, spread=1.0):
    """Every pair met `per_pair` times, with an effect of its own."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    effect = np.triu(rng.normal(0.0, pair_sd, (count, count)), 1)
    chance = expit(strength[:, None] - strength[None, :] + effect - effect.T)
    above = np.triu(rng.binomial(per_pair, chance), 1).astype(float)
    below = np.triu(per_pair - above, 1).T
    return strength, effect - effect.T, above + below


@pytest.mark.parametrize("pair_variance", [0.0, 0.3, 40.0])
def test_gradient_and_information_are_the_derivatives_of_the_quasi_likelihood(pair_variance):
    _, _, wins = pair_world(5, 7, 0.8, seed=1)
    wins[0, 1] = wins[1, 0] = 0.0
    wins[2, 3] += 0.5
    wins[3, 2] += 0.5
    point, step = np.array([0.4, -1.1, 0.2, 0.9, -0.3]), 1e-5 * np.eye(5)
    gradient, information = _derivatives(wins, pair_variance)(point)
    slope = [
        (log_likelihood(point + e, wins, pair_variance) - log_likelihood(point - e, wins, pair_variance)) / 2e-5
        for e in step
    ]
    curvature = [
        (_derivatives(wins, pair_variance)(point + e)[0] - _derivatives(wins, pair_variance)(point - e)[0]) / 2e-5
        for e in step
    ]
    np.testing.assert_allclose(gradient, slope, atol=1e-6)
    np.testing.assert_allclose(information, -np.array(curvature), atol=1e-6)


def test_without_pair_effects_the_mode_is_that_of_a_normal_prior():
    votes = bradley_terry_world(8, 900, seed=2).votes
    fit = fit_bradley_terry(votes, prior=NormalPrior(0.7))
    mode = posterior_mode(count_matrix(votes).wins, 0.7)
    np.testing.assert_allclose(mode.point - mode.point.mean(), fit.strength - fit.strength.mean(), atol=1e-9)
    almost = posterior_mode(count_matrix(votes).wins, 0.7, pair_variance=1e-9)
    np.testing.assert_allclose(almost.point, mode.point, atol=1e-6)


def test_the_learned_variance_is_that_of_the_strengths():
    for spread in (0.3, 1.0, 2.0):
        world = bradley_terry_world(40, 20_000, seed=3, spread=spread)
        learned = empirical_bayes_variance(count_matrix(world.votes).wins)
        step = PRIOR_VARIANCES[1] / PRIOR_VARIANCES[0]
        assert learned.variance == PRIOR_VARIANCES[learned.log_marginal.argmax()]
        assert 1 / step**1.5 < learned.variance / np.mean(world.strength**2) < step**1.5


def test_the_laplace_marginal_agrees_with_quadrature():
    """Two contestants, one difference: everything else integrates exactly."""
    wins = np.array([[0.0, 14.0], [6.0, 0.0]])
    gap = np.linspace(-40.0, 40.0, 40_001)
    likelihood = np.exp(14 * gap - 20 * np.logaddexp(0, gap))
    density = [np.exp(-(gap**2) / (4 * variance)) / np.sqrt(4 * np.pi * variance) for variance in PRIOR_VARIANCES]
    exact = np.log([likelihood @ each * (gap[1] - gap[0]) for each in density])
    np.testing.assert_allclose(empirical_bayes_variance(wins).log_marginal, exact, atol=0.02)


def test_pair_variance_is_found_where_it_is_and_zero_where_it_is_not():
    found = []
    for seed in range(20):
        _, _, wins = pair_world(16, 60, 0.6, seed=100 + seed)
        found.append(overdispersion(posterior_mode(wins, 1.0).point, wins))
    assert 0.8 * 0.36 < np.mean(found) < 1.2 * 0.36
    nothing = []
    for seed in range(40):
        _, _, wins = pair_world(16, 60, 0.0, seed=200 + seed)
        nothing.append(overdispersion(posterior_mode(wins, 1.0).point, wins))
    assert np.mean(np.array(nothing) > 0.0) < 0.35
    assert max(nothing) < 0.03


def test_ties_hide_pair_effects_unless_they_are_told():
    """Half wins vary less than wins: without their count the misfit is understated."""
    rng = np.random.default_rng(5)
    wins = pair_world(14, 40, 0.5, seed=6)[2]
    drawn = np.triu(rng.integers(25, 40, wins.shape), 1).astype(float)
    ties = drawn + drawn.T
    mixed = wins + 0.5 * ties
    mode = posterior_mode(mixed, 1.0).point
    assert overdispersion(mode, mixed) < overdispersion(mode, mixed, ties)


def test_pair_variance_needs_five_votes_for_each_contestant():
    wins = np.zeros((6, 6))
    wins[0, 1] = wins[1, 2] = wins[2, 0] = wins[3, 4] = wins[4, 5] = wins[5, 3] = wins[0, 3] = 4.0
    assert overdispersion(np.zeros(6), wins) == 0.0
    assert overdispersion(np.zeros(6), 10 * wins) > 0.0


def test_what_one_pair_says_is_bounded_by_its_own_variance():
    strength = np.array([0.5, 0.0, -0.5])
    wins = np.array([[0.0, 6000.0, 1.0], [4000.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    working = pair_weights(strength, wins, 0.25)
    assert working.weight[0, 1] == pytest.approx(4.0, rel=0.01)
    assert working.weight[1, 2] == 0.0
    np.testing.assert_allclose(working.effect, -working.effect.T)
    # A pair met often is believed: θ_i - θ_j + û is close to its own logit.
    assert strength[0] - strength[1] + working.effect[0, 1] == pytest.approx(np.log(1.5), abs=0.01)


def test_tables_that_are_none_are_refused():
    with pytest.raises(ShapeMismatch, match="one row and column"):
        empirical_bayes_variance(np.zeros((2, 3)))
    with pytest.raises(ShapeMismatch, match="diagonal"):
        overdispersion(np.zeros(2), np.eye(2))
    with pytest.raises(BadParameter, match="give a variance"):
        pair_weights(np.zeros(2), np.zeros((2, 2)), -1.0)


def test_without_pair_effects_the_fit_is_bradley_terry_with_the_learned_prior():
    votes = bradley_terry_world(10, 6000, seed=21).votes
    fit = fit_pair_effects(votes, pair_variance=0.0)
    assert fit.prior.variance == empirical_bayes_variance(count_matrix(votes).wins).variance
    plain = fit_bradley_terry(votes, prior=fit.prior, covariance=Covariance.HESSIAN)
    np.testing.assert_allclose(fit.strength, plain.strength, atol=1e-8)
    np.testing.assert_allclose(fit.covariance, plain.covariance, atol=1e-8)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood)
    np.testing.assert_allclose(fit.win_probability(), plain.win_probability(), atol=1e-8)


def averaged(gap, pair_sd):
    """The logit of the win rate averaged over pair effects."""
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    chance = expit(gap[:, None] + pair_sd * node) @ (weight / weight.sum())
    return np.log(chance / (1.0 - chance))


def test_intervals_cover_where_pairs_have_effects_and_naive_ones_do_not():
    """Figures of goal 7: slope 1 ± .05, coverage .93 to .985."""
    covered, naive, above, below = [], [], 0.0, 0.0
    for seed in range(60):
        strength, _, wins = pair_world(12, 50, 0.6, seed=700 + seed)
        fit = fit_pair_effects(Counts.of(wins), gauge=Gauge.EQUAL)
        plain = fit_bradley_terry(Counts.of(wins), prior=None, covariance=Covariance.HESSIAN, gauge=Gauge.EQUAL)
        upper = np.triu_indices(12, 1)
        gap = averaged((strength[:, None] - strength[None, :])[upper], 0.6)
        for result, inside in ((fit, covered), (plain, naive)):
            found = (result.strength[:, None] - result.strength[None, :])[upper]
            inside.append(np.mean(np.abs(found - gap) < 1.96 * np.sqrt(result.difference_variance()[upper])))
        found = (fit.strength[:, None] - fit.strength[None, :])[upper]
        above, below = above + found @ gap, below + found @ found
    error = np.std(covered, ddof=1) / np.sqrt(60)
    print(f"coverage {np.mean(covered):.3f} ± {error:.3f}, naive {np.mean(naive):.3f}, slope {above / below:.3f}")
    assert 0.93 - 2 * error < np.mean(covered) < 0.985 + 2 * error
    assert np.mean(naive) < 0.75
    assert 0.95 < above / below < 1.05


def test_gaps_from_few_votes_are_calibrated_and_not_inflated():
    """Three votes on a pair: the truth regressed on a flat prior's gaps is below one, on the learned prior's one."""
    slope = {"learned": np.zeros(2), "flat": np.zeros(2)}
    for seed in range(80):
        strength, _, wins = pair_world(16, 3, 0.0, seed=900 + seed, spread=0.7)
        upper = np.triu_indices(16, 1)
        gap = (strength[:, None] - strength[None, :])[upper]
        points = {"learned": empirical_bayes_variance(wins).strength, "flat": posterior_mode(wins, 1e4).point}
        for name, point in points.items():
            found = (point[:, None] - point[None, :])[upper]
            slope[name] += found @ gap, found @ found
    flat, learned = (above / below for above, below in (slope["flat"], slope["learned"]))
    print(f"slope of the truth on gaps: flat prior {flat:.3f}, learned {learned:.3f}")
    assert flat < 0.9
    assert 0.95 < learned < 1.05


def test_one_pair_met_too_often_does_not_carry_the_board_away():
    strength, _, wins = pair_world(8, 40, 0.5, seed=31)
    wins[0, 7], wins[7, 0] = 6000.0, 4000.0  # the weakest is the strongest's nemesis, and met it most
    plain = fit_bradley_terry(Counts.of(wins), gauge=Gauge.EQUAL).strength
    fit = fit_pair_effects(Counts.of(wins), gauge=Gauge.EQUAL)
    assert fit.pair_variance > 0.1
    assert np.corrcoef(plain, strength)[0, 1] < 0.8
    assert np.corrcoef(fit.strength, strength)[0, 1] > 0.95
    assert fit.win_probability()[0, 7] == pytest.approx(0.6, abs=0.01)
    assert np.argmin(fit.expected_wins()) in (0, 1)


def test_clustered_and_pair_sandwich_covariances_are_of_the_models_size():
    rng = np.random.default_rng(41)
    strength, effect, _ = pair_world(8, 10, 0.5, seed=41)
    a, b = random_pairs(8, 4000, rng)
    outcome = (rng.random(4000) < expit(strength[a] - strength[b] + effect[a, b])).astype(float)
    prompt = rng.integers(0, 300, 4000)
    votes = Comparisons(a=np.append(a, 9), b=np.append(b, 9), outcome=np.append(outcome, 0.5), count=10)
    model = fit_pair_effects(votes)
    assert model.clustering.kind is Covariance.HESSIAN
    assert np.isnan(model.expected_wins()[8:]).all()
    robust = fit_pair_effects(votes, covariance=Covariance.SANDWICH)
    labelled = Comparisons(a=a, b=b, outcome=outcome, count=8, prompt=prompt)
    clustered = fit_pair_effects(labelled)
    assert clustered.clustering.kind is Covariance.PROMPT
    for fit in (robust, clustered):
        ratio = fit.difference_variance()[np.triu_indices(8, 1)] / model.difference_variance()[np.triu_indices(8, 1)]
        assert 0.5 < np.median(ratio) < 1.5
    given = fit_pair_effects(votes, prior_variance=1.0, pair_variance=0.3)
    assert (given.prior, given.pair_variance) == (NormalPrior(1.0), 0.3)
    with pytest.raises(BadParameter, match="or None to learn it"):
        fit_pair_effects(votes, prior_variance=-1.0)
