"""How often nominal 95 % intervals hold the truth when votes are clustered. Slow; figures are printed with -s."""

import numpy as np
import pytest

from ranking import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    Comparisons,
    Counts,
    Covariance,
    Estimand,
    Gauge,
    WorthIntervals,
    fit_bounded_worth,
    fit_bradley_terry,
    fit_with_covariates,
    fit_worth,
)
from ranking.strengths import two_sided_quantile
from tests.ranking.worlds import clustered_world, normal_quantiles, random_pairs, worth_world

pytestmark = pytest.mark.slow


def projected_strength(count: int, annotator_sd: float, prompt_sd: float) -> np.ndarray:
    """What unlimited votes of unlimited people on unlimited prompts would fit: tastes integrated by quadrature."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    strength = normal_quantiles(count, 0.5)
    gap = strength[:, None] - strength[None, :]
    spread = np.sqrt(2.0 * (annotator_sd**2 + prompt_sd**2)) * node
    chance = (1.0 / (1.0 + np.exp(-(gap[:, :, None] + spread))) * (weight / weight.sum())).sum(axis=2)
    np.fill_diagonal(chance, 0.0)
    return fit_bradley_terry(Counts.of(1000.0 * chance), prior=None, gauge=Gauge.EQUAL).strength


def report(name: str, boards: list[float]) -> tuple[float, float]:
    """Coverage and its Monte Carlo error, boards being independent."""
    mean, error = float(np.mean(boards)), float(np.std(boards, ddof=1) / np.sqrt(len(boards)))
    print(f"{name:<48} coverage {mean:.3f} ± {error:.3f} over {len(boards)} boards")
    return mean, error


# Ten strengths on each of 240 boards: 2,400 intervals in each world. Seeds seen by no other test.
BOARDS = range(700_000, 700_240)


@pytest.mark.parametrize(
    ("rows", "annotators", "prompts", "annotator_sd", "prompt_sd"),
    [(2000, 40, 60, 0.5, 0.5), (4000, 25, 400, 0.7, 0.0), (4000, 200, 30, 0.3, 0.7)],
)
def test_clustered_intervals_of_strengths_cover(rows, annotators, prompts, annotator_sd, prompt_sd):
    truth = POINTS_AT_ZERO + POINTS_PER_LOGIT * projected_strength(10, annotator_sd, prompt_sd)
    covered: dict[Covariance, list[float]] = {Covariance.TWO_WAY: [], Covariance.SANDWICH: []}
    for seed in BOARDS:
        votes = clustered_world(10, rows, annotators, prompts, seed, annotator_sd, prompt_sd).votes
        for kind, boards in covered.items():
            points = fit_bradley_terry(votes, covariance=kind, gauge=Gauge.EQUAL).to_points()
            boards.append(float(((points.lower <= truth) & (truth <= points.upper)).mean()))
    world = f"{annotators} annotators, {prompts} prompts"
    clustered, _ = report(f"clustered, {world}", covered[Covariance.TWO_WAY])
    naive, _ = report(f"naive, {world}", covered[Covariance.SANDWICH])
    assert 0.93 < clustered < 0.97
    assert naive < 0.90


def tastes_for_length(rows, annotators, seed):
    """Annotators like length each by their own normal amount, and lean to a side likewise."""
    rng = np.random.default_rng(seed)
    strength, annotator = normal_quantiles(8, 0.5), rng.integers(0, annotators, rows)
    liking, leaning = rng.normal(0.3, 0.4, annotators), rng.normal(0.1, 0.4, annotators)
    a, b = random_pairs(8, rows, rng)
    length = rng.normal(size=rows) + 2.0 * (strength[a] - strength[b])
    logit = strength[a] - strength[b] + liking[annotator] * length + leaning[annotator]
    outcome = (rng.random(rows) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    return Comparisons(a=a, b=b, outcome=outcome, count=8, annotator=annotator, covariates=length[:, None])


def test_clustered_intervals_of_adjusted_strengths_and_effects_cover():
    options = {"gauge": Gauge.EQUAL, "prior": None}
    truth = fit_with_covariates(tastes_for_length(3_000_000, 300_000, 7), covariance=Covariance.HESSIAN, **options)
    covered: dict[str, list[float]] = {"strengths": [], "effects": [], "strengths naive": [], "effects naive": []}
    for seed in range(800_000, 800_300):
        votes = tastes_for_length(3000, 40, seed)
        for kind, name in ((Covariance.ANNOTATOR, ""), (Covariance.SANDWICH, " naive")):
            fit = fit_with_covariates(votes, covariance=kind, **options)
            reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom)
            off = np.abs(fit.strength - truth.strength) / fit.standard_error()
            moved = np.abs(fit.effects.per_unit - truth.effects.per_unit) * fit.effects.scale
            covered["strengths" + name].append(float((off < reach).mean()))
            covered["effects" + name].append(float((moved / fit.effects.standard_error() < reach).mean()))
    shown = {name: report(f"adjusted, 40 annotators, {name}", boards) for name, boards in covered.items()}
    for name in ("strengths", "effects"):
        mean, error = shown[name]
        assert 0.93 - 2 * error < mean < 0.97 + 2 * error
    assert shown["effects naive"][0] < 0.80


def answers_apart(votes: Comparisons) -> WorthIntervals:
    """The same least squares on the same scales, as if they were known and every answer a person of its own."""
    mean = np.bincount(votes.annotator, np.abs(votes.amount)) / np.bincount(votes.annotator)
    apart = {"estimand": Estimand.PANEL, "scale": mean[votes.annotator], "covariance": Covariance.SANDWICH}
    return fit_bounded_worth(votes, **apart).to_intervals()


def liked(seed: int, annotator_sd: float, prompt_sd: float) -> tuple[np.ndarray, Comparisons]:
    """Worths, and 2,000 amounts of 40 people about 200 prompts, each of whom and which has normal tastes."""
    rng = np.random.default_rng(seed)
    worth, at = np.linspace(-0.6, 0.6, 6), np.arange(2000)
    a, b = random_pairs(6, 2000, rng)
    annotator, prompt = rng.integers(0, 40, 2000), rng.integers(0, 200, 2000)
    taste = worth + rng.normal(0.0, annotator_sd, (40, 6))[annotator] + rng.normal(0.0, prompt_sd, (200, 6))[prompt]
    amount = taste[at, a] - taste[at, b] + rng.normal(size=2000)
    given = {"annotator": annotator, "prompt": prompt, "amount": amount}
    return worth, Comparisons(a=a, b=b, outcome=np.full(2000, 0.5), count=6, **given)


@pytest.mark.parametrize(("annotator_sd", "prompt_sd"), [(0.0, 0.0), (0.0, 0.5), (0.3, 0.0), (0.3, 0.5)])
def test_intervals_of_worth_cover_whatever_varies_together(annotator_sd, prompt_sd):
    """1,200 intervals each. The draws' own standard deviation would cover .98 to 1.00."""
    covered: dict[str, list[float]] = {"two-way": [], "as drawn": [], "naive": []}
    for seed in range(910_000, 910_200):
        truth, votes = liked(seed, annotator_sd, prompt_sd)
        fit = fit_worth(votes, rng=np.random.default_rng(seed), estimand=Estimand.MONEY, draws=300)
        shown = fit.to_intervals()
        apart = fit_bounded_worth(votes, estimand=Estimand.MONEY, covariance=Covariance.SANDWICH).to_intervals()
        reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom) * fit.replicates.std(axis=0)
        covered["two-way"].append(float(((shown.lower <= truth) & (truth <= shown.upper)).mean()))
        covered["naive"].append(float(((apart.lower <= truth) & (truth <= apart.upper)).mean()))
        covered["as drawn"].append(float((np.abs(fit.worth - truth) <= reach).mean()))
    world = f"annotators' tastes {annotator_sd}, prompts' {prompt_sd}"
    report(f"naive, {world}", covered["naive"])
    drawn, _ = report(f"as drawn, {world}", covered["as drawn"])
    mean, _ = report(f"worth, {world}", covered["two-way"])
    assert 0.93 < mean < 0.97
    assert drawn > 0.97


@pytest.mark.parametrize(
    ("rows", "annotators", "prompts", "own_prompts"),
    [(1200, 30, 60, False), (2000, 40, 200, False), (800, 80, 0, True)],
)
def test_intervals_of_worth_cover_while_stakes_are_light(rows, annotators, prompts, own_prompts):
    options = {"log_stake_sd": 0.5, "taste": 0.4, "own_prompts": own_prompts}
    large = worth_world(400_000, 7, annotators=2000, **options | {"own_prompts": True}).votes
    truth = fit_worth(large, rng=np.random.default_rng(0), draws=2).worth
    covered: dict[str, list[float]] = {"": [], ", naive": []}
    for seed in range(120):
        votes = worth_world(rows, 1000 + seed, annotators=annotators, prompts=prompts, **options).votes
        drawn = fit_worth(votes, rng=np.random.default_rng(seed), draws=400).to_intervals()
        for name, shown in (("", drawn), (", naive", answers_apart(votes))):
            covered[name].append(float(((shown.lower <= truth) & (truth <= shown.upper)).mean()))
    world = f"worth, {annotators} annotators, {prompts or 'own'} prompts"
    report(f"{world}, naive", covered[", naive"])
    mean, error = report(world, covered[""])
    assert 0.93 - 2 * error < mean < 0.97 + 2 * error
