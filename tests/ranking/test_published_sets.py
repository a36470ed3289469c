"""The published sets of R's BradleyTerry2: our estimates, standard errors and likelihoods are R's.

R's deviance is twice what the likelihood falls short of the saturated one, which for a tie on a row of its own is
2·ln ½ in place of 0. R's bias-reduced fits (`br = TRUE`) have no counterpart here, and `seeds` is no comparison.
Its random effects (`(1 | id)`) are, at a given σ, a normal prior of variance σ² and the mode of both; σ itself is not
compared: R takes it from penalised quasi-likelihood, we from the Laplace marginal (`empirical_bayes_variance`).
"""

from math import log

import numpy as np
import pytest
from scipy.special import xlogy

from ranking import (
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    NormalPrior,
    Response,
    Side,
    count_matrix,
    fit_bradley_terry,
    fit_reward,
    fit_with_covariates,
)
from tests.ranking import published_sets as sets
from tests.ranking.published import BASEBALL_HOME
from tests.ranking.published_sets import figures, pairs

RAW = {"prior": None, "floor": False, "covariance": Covariance.HESSIAN}


def deviance_of_groups(likelihood: float, counts: Counts) -> float:
    """Of binomials of one pair each, ties half either way."""
    won = counts.wins + 0.5 * counts.tied()
    total = won + won.T
    share = np.divide(won, total, out=np.ones_like(won), where=total > 0)
    return 2.0 * (float(xlogy(won, share).sum()) - likelihood)


def deviance_of_rows(likelihood: float, votes: Comparisons) -> float:
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    return -2.0 * (likelihood + log(2.0) * float(weight[votes.outcome == 0.5].sum()))


def expect(fit, strengths, errors, gauge=0):
    """R's figures of everybody but the reference."""
    others = np.delete(np.arange(len(fit.strength)), gauge)
    np.testing.assert_allclose(fit.strength[others], strengths, atol=1e-6)
    np.testing.assert_allclose(fit.standard_error()[others], errors, atol=1e-6)


def with_covariates(votes: Comparisons, covariates: np.ndarray) -> Comparisons:
    columns = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "weight": votes.weight, "count": votes.count}
    return Comparisons(**columns, covariates=covariates)


def test_citations_between_four_journals():
    """BTm(cbind(win1, win2), journal1, journal2, data = countsToBinomial(citations))"""
    counts = Counts.of(sets.CITATIONS)
    fit = fit_bradley_terry(counts, gauge=0, **RAW)
    expect(fit, (-2.949072497, -0.479569770, 0.268954056), (0.102545336, 0.060588729, 0.070829965))
    assert deviance_of_groups(fit.log_likelihood, counts) == pytest.approx(4.29338396989, abs=1e-7)


def test_agrestis_baseball_with_and_without_the_home_ground():
    """BTm(cbind(home.wins, away.wins), home.team, away.team, ~ team [+ at.home]); Baltimore stands last here."""
    home, nothing = np.array(BASEBALL_HOME, dtype=float), np.zeros((7, 7))
    counts = Counts(a_wins=home[:, :, 0], b_wins=home[:, :, 1], ties=nothing, both_bad=nothing)
    adjusted = fit_with_covariates(counts, gauge=6, **RAW)
    expect(
        adjusted.unadjusted,
        (1.581355877, 1.436408432, 1.294485124, 1.247617845, 1.107697705, 0.683852769),
        (0.343255982, 0.339568506, 0.336669401, 0.335860923, 0.333878207, 0.331876673),
        gauge=6,
    )
    expect(
        adjusted,
        (1.619554994, 1.475357214, 1.327110398, 1.281340403, 1.143802653, 0.704694457),
        (0.347365683, 0.344552213, 0.340322568, 0.340403721, 0.337842535, 0.335001717),
        gauge=6,
    )
    assert adjusted.effects.value == pytest.approx([0.302260655529], abs=1e-8)
    assert adjusted.effects.standard_error() == pytest.approx([0.130943707456], abs=1e-7)
    likelihoods = (adjusted.unadjusted.log_likelihood, adjusted.log_likelihood)
    assert 2 * (likelihoods[1] - likelihoods[0]) == pytest.approx(44.0534612286 - 38.642852144, abs=1e-7)


def test_springalls_samples_each_on_its_own():
    """BTm(cbind(win.adj, loss.adj), col, row, data = springall$contests)"""
    counts = count_matrix(pairs(sets.SPRINGALL, 9))
    fit = fit_bradley_terry(counts, gauge=0, **RAW)
    expect(
        fit,
        (-1.53978484, -2.22369101, -0.26957347, -1.28454210, -1.92377895, 0.86225859, 0.00274929, -0.41256890),
        (0.22871227, 0.25190068, 0.21476300, 0.22446844, 0.23950573, 0.23979227, 0.21816194, 0.21424038),
    )
    assert deviance_of_groups(fit.log_likelihood, counts) == pytest.approx(14.4154266411, abs=1e-6)


def structured(votes: Comparisons, features: np.ndarray, errors: list[float]) -> np.ndarray:
    """Strengths that the features alone explain: `fit_reward` under a prior too wide to matter."""
    rows = np.repeat(np.arange(len(votes)), votes.weight.astype(int))
    fit = fit_reward((features[votes.a] - features[votes.b])[rows], votes.outcome[rows], prior_variance=1e9)
    np.testing.assert_allclose(np.sqrt(fit.covariance.diagonal()), errors, rtol=1e-6)
    return fit.mean


def test_springalls_response_surface():
    """BTm(..., ~ flav[..] + gel[..] + flav.2[..] + gel.2[..] + flav.gel[..]); with + (1 | ..) R's σ is zero."""
    flavour, gel = np.array(sets.SPRINGALL_FLAVOUR), np.array(sets.SPRINGALL_GEL)
    surface = np.column_stack((flavour, gel, flavour**2, gel**2, flavour * gel))
    errors = [0.06594836723686, 0.10298967016242, 0.00637152672074, 0.01998277538547, 0.00841386738106]
    found = structured(pairs(sets.SPRINGALL, 9), surface, errors)
    expected = [-0.4119440790072, -0.3257763378071, 0.0156500308640, 0.1050616228656, 0.0237588109125]
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("instrument", "strengths", "errors", "deviance"),
    [
        (
            "cello",
            "-0.14476933 1.31939007 0.86866465 1.72198235 1.37581510 1.84225689 1.60462518",
            "0.53874398 0.52111201 0.51412874 0.53492709 0.52260615 0.54058659 0.53011869",
            9.23007396171,
        ),
        (
            "flute",
            "-0.71559382 1.48520537 1.25693971 1.37040713 1.48520537 1.42759983 1.14419549",
            "0.58216103 0.52490268 0.51797432 0.52110650 0.52490268 0.52291709 0.51545142",
            24.6866747188,
        ),
        (
            "violin",
            "0.03003408 0.80358643 0.80358643 0.67044898 1.01727473 1.43373331 1.43373331",
            "0.34662185 0.34105391 0.34105391 0.34017167 0.34392654 0.35477732 0.35477732",
            13.1053558204,
        ),
    ],
)
def test_kousgaards_sound_fields(instrument, strengths, errors, deviance):
    """BTm(cbind(win1.adj, win2.adj), field1, field2, ~ field, id = "field", subset = (instrument == ...))"""
    counts = count_matrix(pairs(sets.SOUND_FIELDS[instrument], 8))
    fit = fit_bradley_terry(counts, gauge=0, **RAW)
    expect(fit, figures(strengths), figures(errors))
    assert deviance_of_groups(fit.log_likelihood, counts) == pytest.approx(deviance, abs=1e-6)


def test_the_factors_of_kousgaards_flutes():
    """The same for flutes with ~ a[field] + b[field] + c[field], levels coded -1 and 1."""
    factors = np.array([[2 * (field >> bit & 1) - 1 for bit in (2, 1, 0)] for field in range(8)], dtype=float)
    errors = [0.122964480338, 0.122374064101, 0.118998571271]
    found = structured(pairs(sets.SOUND_FIELDS["flute"], 8), factors, errors)
    np.testing.assert_allclose(found, [0.373022541418, 0.346298088024, -0.112339770059], atol=1e-7)


def cems() -> Comparisons:
    """Students without work, then those with; the covariate is LAT of A minus B for the latter."""
    groups = [pairs(sets.CEMS_SCHOOLS[works], 6) for works in (False, True)]
    latin = np.array(sets.SPEAKS_LATIN, dtype=float)
    gain = np.concatenate([works * (latin[rows.a] - latin[rows.b]) for works, rows in enumerate(groups)])
    columns = {
        name: np.concatenate([getattr(rows, name) for rows in groups]) for name in ("a", "b", "outcome", "weight")
    }
    return Comparisons(**columns, count=6, covariates=gain[:, None])


def test_dittrichs_schools_and_the_students_who_work():
    """BTm(cbind(win1.adj, win2.adj), school1, school2, ~ .. [+ WOR[student] * LAT[..]], refcat = "Stockholm", CEMS)"""
    votes = cems()
    fit = fit_with_covariates(votes, side=Side.NONE, gauge=5, **RAW)
    expect(
        fit.unadjusted,
        (0.537905597, 1.597479654, 0.387767142, 0.906445267, 0.525066644),
        (0.070275654, 0.076781544, 0.071126249, 0.072313033, 0.070262797),
        gauge=5,
    )
    assert deviance_of_rows(fit.unadjusted.log_likelihood, votes) == pytest.approx(4929.26559488, abs=1e-6)
    expect(
        fit,
        (0.504438736, 1.603669553, 0.353782062, 0.874077985, 0.526818996),
        (0.070769577, 0.077003762, 0.071651164, 0.072739602, 0.070386750),
        gauge=5,
    )
    assert fit.effects.per_unit == pytest.approx([0.857712518005], abs=1e-6)
    assert fit.effects.standard_error() / fit.effects.scale == pytest.approx([0.2102177125753], abs=1e-6)
    assert deviance_of_rows(fit.log_likelihood, votes) == pytest.approx(4911.72353544, abs=1e-6)


def test_a_season_of_college_hockey_and_the_gain_of_home_ice():
    votes = sets.hockey()
    assert (len(votes), int((votes.covariates == -1.0).sum())) == (1083, 1014)
    fit = fit_with_covariates(votes, side=Side.NONE, gauge=0, **RAW)
    expect(fit.unadjusted, figures(sets.HOCKEY_PLAIN)[1:], figures(sets.HOCKEY_PLAIN_ERRORS)[1:])
    assert deviance_of_rows(fit.unadjusted.log_likelihood, votes) == pytest.approx(1133.75838202, abs=1e-6)
    expect(fit, figures(sets.HOCKEY_AT_HOME)[1:], figures(sets.HOCKEY_AT_HOME_ERRORS)[1:])
    assert fit.effects.per_unit == pytest.approx([0.402898591163], abs=1e-7)
    assert fit.effects.standard_error() / fit.effects.scale == pytest.approx([0.0708679772293], abs=1e-7)
    assert deviance_of_rows(fit.log_likelihood, votes) == pytest.approx(1100.80618046, abs=1e-6)


def test_hockey_teams_as_random_effects_are_a_normal_prior_of_their_variance():
    prior = NormalPrior(0.4872666650**2)
    options = {"prior": prior, "floor": False, "covariance": Covariance.HESSIAN, "gauge": Gauge.EQUAL}
    fit = fit_with_covariates(sets.hockey(), side=Side.NONE, **options)
    np.testing.assert_allclose(fit.strength, figures(sets.HOCKEY_RANDOM), atol=1e-6)
    assert fit.effects.per_unit == pytest.approx([0.4169518661], abs=1e-7)
    assert fit.effects.standard_error() / fit.effects.scale == pytest.approx([0.0667329032], abs=1e-7)


def test_a_season_of_the_league_under_davidson_and_with_half_ties():
    """R's home.adv is the side, and its tie.max the logit of a tie between equals, ν/(2 + ν)."""
    votes = sets.league()
    davidson = fit_with_covariates(votes, response=Response.DAVIDSON, gauge=0, **RAW)
    expect(davidson, figures(sets.LEAGUE_DAVIDSON), figures(sets.LEAGUE_DAVIDSON_ERRORS))
    assert davidson.effects.value == pytest.approx([0.612464540862], abs=1e-6)
    assert davidson.effects.standard_error() == pytest.approx([0.144537947599], abs=1e-6)
    assert davidson.shape - log(2.0) == pytest.approx([-0.809084017972], abs=1e-6)
    assert np.sqrt(davidson.shape_covariance) == pytest.approx(np.array([[0.126682946320]]), abs=1e-6)
    assert -2 * davidson.log_likelihood == pytest.approx(699.32743243, abs=1e-6)
    half = fit_with_covariates(votes, gauge=0, **RAW)
    expect(half, figures(sets.LEAGUE_HALF), figures(sets.LEAGUE_HALF_ERRORS))
    assert half.effects.value == pytest.approx([0.414083117589], abs=1e-6)
    assert half.effects.standard_error() == pytest.approx([0.116950010544], abs=1e-6)
    assert deviance_of_rows(half.log_likelihood, votes) == pytest.approx(303.633737197, abs=1e-6)
