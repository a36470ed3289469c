"""Whatever people say, every other model gives finite numbers or refuses by name: no warning, no NaN, no crash."""

import warnings
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    BOARD_PRIOR,
    Absent,
    Adjustment,
    AgreementEstimate,
    Answers,
    BothBad,
    Credit,
    CyclicFit,
    Estimand,
    ItemJudgments,
    LiveRatings,
    Measurement,
    MixtureFit,
    Payoff,
    RankingError,
    Rankings,
    Side,
    StrengthFit,
    anchor_scales,
    annotator_drift,
    borda,
    censored_at,
    choose_cyclic_rank,
    choose_group_count,
    cohen_kappa,
    contingency,
    copeland,
    count_matrix,
    exploitability,
    fit_bounded_worth,
    fit_crowd,
    fit_cyclic,
    fit_davidson,
    fit_magnitudes,
    fit_mixture,
    fit_ordinal,
    fit_outside_option,
    fit_plackett_luce,
    fit_rao_kupper,
    fit_scale,
    fit_worth,
    fleiss_kappa,
    gold_accuracy,
    gwet_ac1,
    kemeny,
    krippendorff_alpha,
    likeness,
    majorities,
    max_min_board,
    maximal_lottery,
    minimax,
    pairwise_kappa,
    rank_ranges,
    rate_elo,
    rate_glicko2,
    retest_agreement,
    side_bias,
    tournament,
    tournament_of_ranks,
    worth_sensitivity,
)
from tests.ranking.test_any_data import votes

ADJUSTMENTS = (None, *(Adjustment(side=side, penalty=penalty) for side in Side for penalty in (0.0, 1.0)))


def rng():
    return np.random.default_rng(0)


@st.composite
def judgments(draw):
    """Mostly of known people on known prompts, with prices that may be nothing, tiny, huge, or mere bounds."""
    data = draw(votes())
    rng, rows = np.random.default_rng(draw(st.integers(0, 2**32))), len(data)
    more = {"propensity": rng.uniform(0.05, 1.0, rows)}
    if draw(st.integers(0, 4)):
        people, prompts, unknown = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(-1, 0))
        more |= {"annotator": rng.integers(unknown, people, rows), "prompt": rng.integers(unknown, prompts, rows)}
    if draw(st.booleans()):
        more["covariates"] = rng.normal(size=(rows, 1))
    size = draw(st.sampled_from([1e-6, 1.0, 1e6]))
    agreed = np.where(data.a < data.b, 1.0, -1.0) * np.exp(0.2 * rng.normal(size=rows))
    kinds = [rng.integers(-2, 3, rows), np.exp(3.0 * rng.normal(size=rows)), agreed]
    amount = size * kinds[draw(st.integers(0, 2))]
    more["amount"] = np.where(rng.random(rows) < draw(st.sampled_from([0.0, 0.0, 0.3, 1.0])), np.nan, amount)
    if draw(st.booleans()):
        low = amount - size * rng.choice([0.0, 1.0, np.inf], rows)
        high = amount + size * rng.choice([0.0, 1.0, np.inf], rows)
        unasked = rng.random(rows) < 0.3
        more |= {"amount_low": np.where(unasked, np.nan, low), "amount_high": np.where(unasked, np.nan, high)}
    return replace(data, **more)


def annotator_fits(data, adjust):
    for fit in (fit_crowd, fit_scale):
        yield lambda fit=fit: fit(data, adjust=adjust, both_bad=BothBad.HALF)
    for groups in (1, 2):
        yield lambda groups=groups: fit_mixture(data, groups=groups, rng=rng(), restarts=2, adjust=adjust)
    yield lambda: max_min_board(fit_mixture(data, groups=2, rng=rng(), restarts=1).strength)
    for huber in (None, 1.345):
        yield lambda huber=huber: fit_magnitudes(data, huber=huber, min_answers=2, adjust=adjust)
    grades = np.where(data.outcome == 0.5, 0.0, 2.0 * data.outcome - 1.0)
    yield lambda: fit_magnitudes(data, values=grades, min_answers=2, adjust=adjust)


def worth_fits(data, adjust):
    for estimand in Estimand:
        options = {"estimand": estimand, "adjust": adjust}
        yield lambda options=options: with_intervals(fit_worth(data, rng=rng(), min_answers=1, draws=20, **options))
        yield lambda options=options: with_intervals(fit_bounded_worth(data, **options))
        yield lambda options=options: fit_bounded_worth(censored_at(data, 1.0), **options)
        yield lambda options=options: worth_sensitivity(data, estimand=options["estimand"], min_answers=1)
    anchors = np.arange(len(data)) % 2 == 0
    yield lambda: fit_worth(data, rng=rng(), min_answers=1, draws=20, anchors=anchors, adjust=adjust)
    yield lambda: anchor_scales(data, anchors, min_anchors=1)


def with_intervals(fit):
    assert np.isfinite(fit.to_intervals().lower[fit.present]).all()
    return fit


def choice_fits(data, adjust):
    answers = Answers(contestant=data.a, acceptable=data.outcome == 1.0, annotator=data.annotator, prompt=data.prompt)
    rankings = Rankings.of_comparisons(data)
    for rank in (0, 1):
        yield lambda rank=rank: fit_cyclic(data, rank=rank, rng=rng(), starts=2, adjust=adjust)
    for given_answers in (None, answers):
        both = None if adjust is None or data.covariates is None else np.stack((data.covariates, -data.covariates), 1)
        own = given_answers and (given_answers if both is None else replace(answers, covariates=data.covariates))
        yield lambda own=own, both=both: fit_outside_option(data, answers=own, adjust=adjust, covariates=both)
    yield lambda: fit_plackett_luce(rankings, adjust=adjust)


def tie_fits(data, prior):
    graded = data if data.strength is None else data.select(data.strength >= 0)
    for levels in (1, 3):
        yield lambda levels=levels: fit_ordinal(graded, levels=levels, prior=prior, both_bad=BothBad.HALF)
    for fit in (fit_davidson, fit_rao_kupper):
        yield lambda fit=fit: fit(data, prior=prior)
        yield lambda fit=fit: fit(count_matrix(data), prior=prior, both_bad=BothBad.HALF)
    yield lambda: fit_outside_option(data, prior=prior)
    yield lambda: fit_plackett_luce(Rankings.of_comparisons(data), prior=prior)


def live(data):
    ratings = LiveRatings(data.select(np.arange(len(data)) < len(data) // 2))
    for a, b, outcome in zip(data.a, data.b, data.outcome, strict=True):
        ratings.add(int(a), int(b), float(outcome))
    ratings.standard_error()
    return ratings.strength


def one_by_one(data):
    period = np.arange(len(data)) // 4 * 3
    yield lambda: rate_glicko2(data)
    yield lambda: rate_glicko2(data, period=period, start=rate_glicko2(data, both_bad=BothBad.HALF))
    yield lambda: rate_elo(data).points[present(data)]
    yield lambda: rate_elo(data, shuffles=3, rng=rng(), k=400.0).points[present(data)]
    yield lambda: live(data)


def present(data):
    """Who met another, both bad left out."""
    used = data.select(data.a != data.b)
    if used.both_bad is not None:
        used = used.select(~used.both_bad)
    return np.isin(np.arange(data.count), np.append(used.a, used.b))


def orders(data):
    for absent in Absent:
        field = lambda absent=absent: tournament(count_matrix(data), absent=absent)  # noqa: E731
        for rule in (borda, copeland, minimax):
            yield lambda rule=rule, field=field: rule(field()).score[field().present]
        yield lambda field=field: kemeny(field())
        yield lambda field=field: majorities(field())
        for payoff in Payoff:
            yield lambda field=field, payoff=payoff: maximal_lottery(field(), payoff=payoff)
        yield lambda field=field: exploitability(maximal_lottery(field()).probability, field())
    ranks = np.where(data.outcome[:, None] > 0.0, np.arange(data.count), np.nan)
    yield lambda: borda(tournament_of_ranks(ranks, weight=data.weight, absent=Absent.NEITHER)).rank


def agreements(data):
    def judged():
        who = np.full(len(data), -1) if data.annotator is None else np.maximum(data.annotator, -1)
        item = np.arange(len(data)) % 3 if data.prompt is None else np.maximum(data.prompt, 0)
        return ItemJudgments(item=item, annotator=who, value=data.outcome, annotators=4)

    for measurement in Measurement:
        options = {"measurement": measurement, "rng": rng(), "draws": 20}
        yield lambda options=options: krippendorff_alpha(judged(), **options)
        yield lambda options=options: retest_agreement(judged(), **options).reliability
    for coefficient in (fleiss_kappa, gwet_ac1):
        yield lambda coefficient=coefficient: coefficient(judged(), rng=rng(), draws=20)
    for credit in Credit:
        yield lambda credit=credit: cohen_kappa(contingency(data.outcome, data.a / 2.0), credit=credit)
        yield lambda credit=credit: pairwise_kappa(judged(), credit=credit).items
    yield lambda: gold_accuracy(judged(), np.where(data.b == 0, np.nan, 1.0)).judged
    yield lambda: side_bias(data).everyone.judged
    yield lambda: likeness(judged()).judged
    yield lambda: annotator_drift(np.abs(data.amount), judged().annotator, annotators=4, least=3).judged


# As docstrings say, cuts of grades that nobody gave lie at infinity, and so does the noise of a scale of zero.
UNUSED = {"cuts", "cut_covariance", "noise"}
NAN_IF_UNMET = {"side", "side_standard_error", "payoff", "regret", "worst", "headline", "winsorised", "asinh", "huber"}


def refuse_nonsense(found):
    """Every number is finite, save for contestants and pairs about which nothing was asked."""
    if isinstance(found, StrengthFit):
        inside = found.evidence.present
        assert np.isfinite(found.strength[inside]).all()
        for covariance in (found.covariance, found.hessian_covariance):
            values = np.linalg.eigvalsh(covariance[np.ix_(inside, inside)])
            assert values.min() > -1e-9 * max(1.0, values.max())
        assert np.isfinite(found.to_points().points[inside]).all()
        rank_ranges(found)
        return refuse_unknown(found, {"strength", "covariance", "hessian_covariance", "covariate_mean", *UNUSED})
    if isinstance(found, MixtureFit):
        assert found.share.sum() == pytest.approx(1.0)
        for board in found.boards:
            refuse_nonsense(board)
        assert np.isfinite(found.restart_values).any()  # NaN of runs that were given up
        return refuse_unknown(found, {"boards", "restart_values"})
    if isinstance(found, CyclicFit):
        inside = np.ix_(found.evidence.present, found.evidence.present)
        assert ((found.probability[inside] >= 0.0) & (found.probability[inside] <= 1.0)).all()
        assert np.isfinite(found.standard_error[inside]).all()
        inner = np.linalg.eigvalsh(found.covariance[inside])
        assert np.isfinite(found.strength[found.evidence.present]).all()
        assert inner.min() > -1e-9 * max(1.0, inner.max())
        return refuse_unknown(found, {"strength", "covariance", "probability", "standard_error"})
    if isinstance(found, AgreementEstimate):
        return refuse_unknown(found, set() if found.draws else {"lower", "upper"})
    return refuse_unknown(found, NAN_IF_UNMET)


def refuse_unknown(found, known):
    """Walks through results; where a mask says who is present, only they must have numbers."""
    inside = getattr(found, "present", None)
    for name, value in named(found):
        if name in known or value is None or name == "degrees_of_freedom":
            continue
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            if inside is not None and value.ndim and value.shape[-1] == len(inside):
                value = value[..., inside]
                value = value[inside] if name == "covariance" else value
            assert np.isfinite(value).all(), (type(found).__name__, name, value)
        elif isinstance(value, float):
            assert np.isfinite(value), (type(found).__name__, name, value)
        elif is_dataclass(value):
            refuse_unknown(value, known)


def named(found):
    if isinstance(found, np.ndarray | float):
        return [("", found)]
    return [(field.name, getattr(found, field.name)) for field in fields(found)]


def refuse_or_rank(fits):
    for fit in fits:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                found = fit()
            except RankingError:
                continue
            refuse_nonsense(found)


FEW = settings(max_examples=10, deadline=None)


@FEW
@given(data=judgments(), adjust=st.sampled_from(ADJUSTMENTS))
def test_any_people_are_modelled_or_refused_by_name(data, adjust):
    refuse_or_rank(annotator_fits(data, adjust))


@FEW
@given(data=judgments(), adjust=st.sampled_from(ADJUSTMENTS))
def test_any_prices_are_pooled_or_refused_by_name(data, adjust):
    refuse_or_rank(worth_fits(data, adjust))


@FEW
@given(data=judgments(), adjust=st.sampled_from(ADJUSTMENTS))
def test_any_choices_are_fitted_or_refused_by_name(data, adjust):
    refuse_or_rank(choice_fits(data, adjust))


@FEW
@given(data=votes(), prior=st.sampled_from([None, BOARD_PRIOR]))
def test_any_ties_are_modelled_or_refused_by_name(data, prior):
    refuse_or_rank(tie_fits(data, prior))


@FEW
@given(data=judgments())
def test_any_votes_are_followed_ordered_and_compared_or_refused_by_name(data):
    refuse_or_rank(one_by_one(data))
    refuse_or_rank(orders(data))
    refuse_or_rank(agreements(data))


@settings(max_examples=3, deadline=None)
@given(data=judgments(), adjust=st.sampled_from(ADJUSTMENTS))
def test_any_votes_choose_a_model_or_refuse_by_name(data, adjust):
    small = {"rng": rng(), "folds": 2}
    refuse_or_rank([lambda: choose_group_count(data, most=2, restarts=1, **small)])
    refuse_or_rank([lambda: choose_cyclic_rank(data, most=1, starts=1, adjust=adjust, **small)])
