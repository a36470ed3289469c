"""Drawing the next token of each row of a batch.

Filters apply in the order of transformers' `generate`: repetition penalty, temperature, top-k, top-p. Every row draws
one uniform number per token from its own generator, so what a row draws never depends on its neighbours; only its
logits can, by the last bits that a matrix product of another height rounds differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .protocol import Sampling

_CANDIDATES = (128, 1024)  # enough for top-p on nearly every token; sorting a whole vocabulary costs milliseconds


@dataclass(slots=True)
class Draw:
    """One row's way of drawing. `seen` lists the tokens of its prompt and text, for the repetition penalty only."""

    sampling: Sampling
    generator: torch.Generator
    seen: Tensor | None

    @classmethod
    def of(cls, sampling: Sampling, prompt: Sequence[int], device: torch.device) -> Draw:
        """The state of a row before its first token."""
        generator = torch.Generator()
        generator.manual_seed(sampling.seed % 2**63)
        penalised = sampling.repetition_penalty != 1.0
        seen = torch.tensor(sorted(set(prompt)), device=device) if penalised else None
        return cls(sampling, generator, seen)

    def note(self, token: int) -> None:
        """Remember a token that was drawn."""
        if self.seen is not None:
            self.seen = torch.cat([self.seen, self.seen.new_tensor([token])])


def draw_tokens(logits: Tensor, draws: Sequence[Draw]) -> list[int | None]:
    """One token per row of `logits` (rows, vocabulary); None where a row's logits are not finite."""
    logits = logits.float()
    for row, draw in zip(logits, draws, strict=True):
        if draw.seen is not None:
            _penalise(row, draw.seen, draw.sampling.repetition_penalty)
    likeliest = logits.argmax(dim=-1).tolist()
    finite = logits.amax(dim=-1).isfinite().tolist()
    tokens: list[int | None] = []
    for row, draw, best, usable in zip(logits, draws, likeliest, finite, strict=True):
        if not usable:
            tokens.append(None)
        elif draw.sampling.temperature == 0.0 or draw.sampling.top_k == 1:
            tokens.append(best)
        else:
            tokens.append(_draw(row / draw.sampling.temperature, draw))
    return tokens


def _penalise(row: Tensor, seen: Tensor, penalty: float) -> None:
    """Once per token, also where `seen` names it twice: every one of its writes stores the same number."""
    scores = row[seen]
    row[seen] = torch.where(scores < 0, scores * penalty, scores / penalty)


def _draw(row: Tensor, draw: Draw) -> int:
    uniform = float(torch.rand((), generator=draw.generator, dtype=torch.float64))
    sampling = draw.sampling
    if sampling.top_k == 0 and sampling.top_p == 1.0:
        return _inverse(row.softmax(dim=-1), uniform)
    probabilities, tokens = _nucleus(row, sampling.top_k, sampling.top_p)
    return int(tokens[_inverse(probabilities, uniform)])


def _nucleus(row: Tensor, top_k: int, top_p: float) -> tuple[Tensor, Tensor]:
    """The candidates that remain, likeliest first, with weights that need not sum to one: the `top_k` likeliest, and
    of those the fewest whose share reaches `top_p`, always at least one."""
    if top_k:
        values, tokens = row.topk(min(top_k, row.numel()))
        return _head(values, tokens, float(values.logsumexp(dim=-1)), top_p)
    total = float(row.logsumexp(dim=-1))
    for count in _CANDIDATES:
        if count < row.numel():
            values, tokens = row.topk(count)
            if float((values - total).exp().sum()) >= top_p:
                return _head(values, tokens, total, top_p)
    values, tokens = row.sort(descending=True)
    return _head(values, tokens, total, top_p)


def _head(values: Tensor, tokens: Tensor, total: float, top_p: float) -> tuple[Tensor, Tensor]:
    weights = (values - total).exp()
    last = int((weights.cumsum(dim=-1) < top_p).sum()) + 1
    return weights[:last], tokens[:last]


def _inverse(weights: Tensor, uniform: float) -> int:
    """The index that a uniform number in [0, 1) falls on, by the cumulated weights."""
    cumulated = weights.double().cumsum(dim=-1)
    at = int(torch.searchsorted(cumulated, cumulated[-1] * uniform, right=True))
    return min(at, weights.numel() - 1)
