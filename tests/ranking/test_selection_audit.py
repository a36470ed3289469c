"""What an adaptive log says of itself: unbiased scores, intervals that may be watched, disagreement flagged."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from ranking import (
    BadParameter,
    Candidates,
    Comparisons,
    MissingLabels,
    NoComparisons,
    RobustPolicy,
    SelectionState,
    ShapeMismatch,
    audit_selection,
    generator,
    weighted_borda,
)

from .worlds import normal_quantiles

COUNT, EPSILON = 5, 0.3
LEAST = EPSILON / 10
TRUTH = normal_quantiles(COUNT, 0.8)


def borda(logit):
    chance = expit(logit)
    return (chance.sum(axis=1) - 0.5) / (len(chance) - 1)


def adaptive_log(votes, seed, logit=None):
    """RO chooses, the world of `logit` (M, M) answers."""
    logit = TRUTH[:, None] - TRUTH[None, :] if logit is None else logit
    state, policy, candidates = SelectionState.of(range(COUNT)), RobustPolicy(epsilon=EPSILON), Candidates(range(COUNT))
    rng, rows, floor = generator(seed), [], []
    for _ in range(votes):
        choice = policy.choose(state, candidates, rng)
        a, b = choice.order
        outcome = float(rng.random() < expit(logit[a, b]))
        state.record(a, b, outcome)
        rows.append((a, b, outcome, choice.p_pair))
        floor.append(choice.floor)
    a, b, outcome, chance = (np.array(column) for column in zip(*rows, strict=True))
    return Comparisons(a=a, b=b, outcome=outcome, count=COUNT, propensity=chance), np.array(floor)


@pytest.fixture(scope="module")
def logs():
    return [adaptive_log(250, seed) for seed in range(40)]


@pytest.mark.slow
def test_inverse_probability_scores_are_unbiased_under_adaptive_selection(logs):
    found = np.array([weighted_borda(votes, least=LEAST).score for votes, _ in logs])
    truth = borda(TRUTH[:, None] - TRUTH[None, :])
    error = found.std(axis=0) / np.sqrt(len(logs))
    assert (np.abs(found.mean(axis=0) - truth) < 4 * error).all()


def test_on_uniform_draws_they_are_the_mean_results():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 4, 300)
    b = (a + rng.integers(1, 4, 300)) % 4
    outcome = rng.integers(0, 3, 300) / 2
    votes = Comparisons(a=a, b=b, outcome=outcome, count=4, propensity=np.full(300, 1 / 6))
    found = weighted_borda(votes, least=1 / 6)
    credit = [outcome[a == k].sum() + (1 - outcome[b == k]).sum() for k in range(4)]
    np.testing.assert_allclose(found.score, 6 * np.array(credit) / 300 / 3)
    assert found.effective_votes == pytest.approx(300)


def test_the_confidence_sequence_covers_at_every_look(logs):
    truth = borda(TRUTH[:, None] - TRUTH[None, :])
    missed = 0
    for votes, _ in logs:
        for number in range(25, 251, 25):
            found = weighted_borda(votes.select(np.arange(number)), least=LEAST)
            if ((found.lower > truth) | (found.upper < truth)).any():
                missed += 1
                break
    assert missed <= 5 * 0.05 * len(logs) + 3
    wide = weighted_borda(logs[0][0], least=LEAST)
    assert (wide.upper - wide.lower < 1.0).any()


@pytest.mark.slow
def test_an_honest_log_is_seldom_flagged_and_one_whose_chosen_pairs_are_rigged_is(logs):
    """Somebody who sees what was chosen lets a favourite win there; the floor's draws do not follow."""
    flags = [audit_selection(votes, floor, least=LEAST).flagged.any() for votes, floor in logs]
    assert sum(flags) <= 2
    favoured = 2
    caught = []
    for seed in range(5):
        votes, floor = adaptive_log(2500, 50 + seed)
        rigged = np.where(votes.a == favoured, 1.0, np.where(votes.b == favoured, 0.0, votes.outcome))
        tampered = replace(votes, outcome=np.where(floor, votes.outcome, rigged))
        caught.append(audit_selection(tampered, floor, least=LEAST).flagged[favoured])
    assert sum(caught) >= 4


def test_the_three_estimates_agree_on_a_long_log():
    votes, floor = adaptive_log(3000, 9)
    audit = audit_selection(votes, floor, least=LEAST)
    truth = borda(TRUTH[:, None] - TRUTH[None, :])
    np.testing.assert_allclose(audit.fitted, truth, atol=0.04)
    np.testing.assert_allclose(audit.floor, truth, atol=0.12)
    np.testing.assert_allclose(audit.weighted.score, truth, atol=0.12)
    assert 0.2 * len(votes) < audit.weighted.effective_votes < len(votes)
    assert audit.pair_variance < 0.1


def test_what_cannot_be_weighed_is_refused_with_the_fix(logs):
    votes, floor = logs[0]
    with pytest.raises(MissingLabels, match=r"see Choice\.p_pair"):
        weighted_borda(replace(votes, propensity=None), least=LEAST)
    with pytest.raises(NoComparisons, match="no votes yet"):
        weighted_borda(votes.select(np.zeros(len(votes), dtype=bool)), least=LEAST)
    with pytest.raises(BadParameter, match="leave out rows drawn with less"):
        weighted_borda(votes, least=0.5)
    with pytest.raises(BadParameter, match=r"level is 1\.5"):
        weighted_borda(votes, least=LEAST, level=1.5)
    with pytest.raises(ShapeMismatch, match="floor has shape"):
        audit_selection(votes, floor[:-1], least=LEAST)
