"""Draws follow the distribution that transformers' own filters leave, and a row's draw is its own affair."""

import pytest
import torch
from scipy.stats import chisquare
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from inference_workers.engine.protocol import Sampling
from inference_workers.engine.sampling import Draw, draw_tokens, log_probabilities

CPU = torch.device("cpu")
PROMPT = [1, 2, 3, 3]


@pytest.fixture(autouse=True)
def one_thread():
    """Many tiny operations: threads would wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def logits_of(seed: int, vocabulary: int = 60) -> torch.Tensor:
    return torch.randn(vocabulary, generator=torch.Generator().manual_seed(seed)) * 2


def reference(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    scores, ids = logits[None].clone(), torch.tensor([PROMPT])
    scores = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)(ids, scores)
    scores = TemperatureLogitsWarper(sampling.temperature)(ids, scores)
    if sampling.top_k:
        scores = TopKLogitsWarper(sampling.top_k)(ids, scores)
    if sampling.top_p < 1.0:
        scores = TopPLogitsWarper(sampling.top_p)(ids, scores)
    return scores.softmax(-1)[0].double()


@pytest.mark.parametrize("vocabulary", [60, 3000])
@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.0},
        {"temperature": 0.7, "top_k": 50, "top_p": 0.9, "repetition_penalty": 1.3},
        {"temperature": 1.5, "top_p": 0.95},
        {"temperature": 0.8, "top_p": 0.5, "repetition_penalty": 0.8},
        {"temperature": 2.0, "top_k": 5},
        {"temperature": 1.0, "top_k": 10_000, "top_p": 0.3},
        {"temperature": 3.0, "top_k": 200, "top_p": 0.95},
    ],
)
def test_draws_follow_the_distribution_of_transformers_filters(settings, vocabulary):
    sampling = Sampling(seed=11, **settings)
    logits = logits_of(1, vocabulary)
    expected = reference(logits, sampling)
    draw = Draw.of(sampling, PROMPT, CPU)
    counts = torch.zeros(vocabulary, dtype=torch.float64)
    draws = 6000 if vocabulary < 100 else 1000
    for _ in range(draws):
        (token,) = draw_tokens(logits[None].clone(), [draw])
        counts[token] += 1
    assert counts[expected == 0].sum() == 0
    common = expected * draws >= 8
    observed = torch.cat([counts[common], counts[~common].sum()[None]])
    wanted = torch.cat([expected[common], expected[~common].sum()[None]]) * draws
    kept = wanted > 0
    assert chisquare(observed[kept], wanted[kept] * observed.sum() / wanted.sum()).pvalue > 1e-4


def test_temperature_zero_takes_the_likeliest_token_and_no_random_number():
    draw = Draw.of(Sampling(temperature=0.0), PROMPT, CPU)
    before = draw.generator.get_state()
    assert draw_tokens(torch.tensor([[0.0, 3.0, 2.9]]), [draw]) == [1]
    assert torch.equal(draw.generator.get_state(), before)


def test_a_rows_draws_do_not_depend_on_its_neighbours():
    """Whose ways of drawing are all others: plain, filtered, penalised, and the likeliest."""
    ways = [{"top_p": 0.9}, {}, {"top_k": 3}, {"repetition_penalty": 1.5}, {"temperature": 0.0}]

    def tokens(rows: int) -> list[int | None]:
        given = [{"temperature": 1.0, "seed": 5 + n} | ways[n % len(ways)] for n in range(rows)]
        draws = [Draw.of(Sampling(**way), PROMPT, CPU) for way in given]
        logits = torch.stack([logits_of(n) for n in range(rows)])
        return [draw_tokens(logits.clone(), draws)[0] for _ in range(40)]

    alone = tokens(1)
    assert tokens(2) == alone
    assert tokens(9) == alone
    assert len(set(alone)) > 3


def test_a_draw_that_broke_off_is_made_again_as_it_was():
    logits = torch.stack([logits_of(n) for n in range(2)])

    def drawn(broken_off: int) -> list[int | None]:
        draw = Draw.of(Sampling(temperature=1.0, top_p=0.9, seed=5), PROMPT, CPU)
        tokens: list[int | None] = []
        for count in range(12):
            if count == broken_off:
                draw_tokens(logits, [draw, draw])
                draw.rewind(count)
            tokens += draw_tokens(logits[:1], [draw])
        return tokens

    assert drawn(broken_off=7) == drawn(broken_off=-1)


def test_log_probabilities_are_the_models_own_before_any_filter():
    logits = torch.stack([logits_of(0), logits_of(1)])
    kept = logits.clone()
    given = {"temperature": 0.1, "top_k": 2, "repetition_penalty": 3.0}
    tokens = draw_tokens(logits, [Draw.of(Sampling(seed=n, **given), PROMPT, CPU) for n in range(2)])
    expected = [float(kept[n].log_softmax(-1)[token]) for n, token in enumerate(tokens)]
    assert log_probabilities(logits, tokens) == pytest.approx(expected, abs=1e-6)
    assert log_probabilities(torch.tensor([[1e4, 0.0]]), [0]) == [0.0]


def test_the_penalty_counts_tokens_drawn_since():
    draw = Draw.of(Sampling(temperature=0.0, repetition_penalty=2.0), [0], CPU)
    logits = torch.tensor([[1.0, 3.0, 2.0]])
    drawn = []
    for _ in range(3):
        (token,) = draw_tokens(logits.clone(), [draw])
        draw.note(token)
        drawn.append(token)
    assert drawn == [1, 2, 1]


def test_rows_without_finite_numbers_have_no_token():
    logits = torch.tensor([[float("nan"), 1.0], [float("inf"), 1.0], [0.0, 1.0], [float("-inf"), 1.0]])
    draws = [Draw.of(Sampling(temperature=0.0), PROMPT, CPU) for _ in range(4)]
    draws[2] = Draw.of(Sampling(temperature=1.0, seed=2**80 + 1), PROMPT, CPU)
    tokens = draw_tokens(logits, draws)
    assert tokens[:2] == [None, None]
    assert tokens[2] in (0, 1)
    assert tokens[3] == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_k": -1},
        {"max_tokens": 0},
        {"repetition_penalty": 0.0},
        {"stop": ("",)},
    ],
)
def test_sampling_that_means_nothing_is_refused(nonsense):
    (name,) = nonsense
    with pytest.raises(ValueError, match="stop string" if name == "stop" else name):
        Sampling(**nonsense)
