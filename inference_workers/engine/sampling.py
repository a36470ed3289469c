"""Drawing the next token of each row of a batch.

Filters apply in the order of transformers' `generate`: repetition penalty, temperature, top-k, top-p. Every row draws
one uniform number per token from its own generator, so what a row draws never depends on its neighbours; only its
logits can, by the last bits that a sum or a matrix product of another height rounds differently.
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
        penalised = sampling.repetition_penalty != 1.0
        seen = torch.tensor(sorted(set(prompt)), device=device) if penalised else None
        draw = cls(sampling, torch.Generator(), seen)
        draw.rewind(0)
        return draw

    @property
    def takes_likeliest(self) -> bool:
        return self.sampling.temperature == 0.0 or self.sampling.top_k == 1

    def uniform(self) -> float:
        """The row's next number in [0, 1)."""
        return float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def note(self, token: int) -> None:
        """Remember a token that was drawn."""
        if self.seen is not None:
            self.seen = torch.cat([self.seen, self.seen.new_tensor([token])])

    def rewind(self, drawn: int) -> None:
        """As it was after so many tokens: a draw that broke off may have used up a number."""
        self.generator.manual_seed(self.sampling.seed % 2**63)
        if not self.takes_likeliest:
            for _ in range(drawn):
                self.uniform()


def draw_tokens(logits: Tensor, draws: Sequence[Draw]) -> list[int | None]:
    """One token per row of `logits` (rows, vocabulary), which stay as they are; None where a row's are not finite."""
    scores = logits.to(torch.float32, copy=any(draw.seen is not None for draw in draws))
    for row, draw in zip(scores, draws, strict=True):
        if draw.seen is not None:
            _penalise(row, draw.seen, draw.sampling.repetition_penalty)
    likeliest = scores.argmax(dim=-1).tolist()
    finite = scores.amax(dim=-1).isfinite().tolist()
    tokens: list[int | None] = [best if usable else None for best, usable in zip(likeliest, finite, strict=True)]
    plain = [n for n, draw in enumerate(draws) if finite[n] and not draw.takes_likeliest and not _filters(draw)]
    filtered = [n for n, draw in enumerate(draws) if finite[n] and not draw.takes_likeliest and _filters(draw)]
    for rows, draw_rows in ((plain, _draw_plain), (filtered, _draw_filtered)):
        if rows:
            chosen = [draws[n] for n in rows]
            heat = scores.new_tensor([draw.sampling.temperature for draw in chosen])
            some = scores if len(rows) == len(draws) else scores[rows]
            for n, token in zip(rows, draw_rows(some / heat[:, None], chosen), strict=True):
                tokens[n] = token
    return tokens


def log_probabilities(logits: Tensor, tokens: Sequence[int]) -> list[float]:
    """Of one token per row, by the model alone: before penalty, temperature and filters."""
    scores = logits.float()
    chosen = scores.gather(1, torch.tensor(tokens, device=logits.device)[:, None])[:, 0]
    # Not above 0, where rounding would put what is certain.
    return [min(value, 0.0) for value in (chosen - scores.logsumexp(dim=-1)).tolist()]


def _filters(draw: Draw) -> bool:
    return draw.sampling.top_k != 0 or draw.sampling.top_p != 1.0


def _penalise(row: Tensor, seen: Tensor, penalty: float) -> None:
    """Once per token, also where `seen` names it twice: every one of its writes stores the same number."""
    scores = row[seen]
    row[seen] = torch.where(scores < 0, scores * penalty, scores / penalty)


def _draw_plain(scores: Tensor, draws: Sequence[Draw]) -> list[int]:
    return _inverse(scores.softmax(dim=-1), draws)


def _draw_filtered(scores: Tensor, draws: Sequence[Draw]) -> list[int]:
    """All rows at once among their likeliest tokens, and those alone whose filters reach further."""
    count = min(_CANDIDATES[0], scores.shape[1])
    values, tokens = scores.topk(count)
    totals = scores.logsumexp(dim=-1)
    # Off the device in one piece: what follows is small, and some devices know no double precision.
    values, tokens, totals = values.cpu(), tokens.cpu(), totals.cpu()
    top_k = torch.tensor([draw.sampling.top_k or scores.shape[1] for draw in draws])
    top_p = torch.tensor([draw.sampling.top_p for draw in draws], dtype=torch.float64)
    within = torch.arange(count) < top_k[:, None]
    kept = torch.where(within, values, -torch.inf)
    # With top-k, shares are of what it leaves.
    totals = torch.where(top_k <= count, kept.logsumexp(dim=-1), totals)
    weights = (kept - totals[:, None]).exp()
    shares = weights.cumsum(dim=-1, dtype=torch.float64)
    enough = (top_k >= scores.shape[1]) & (shares[:, -1] >= top_p)
    reached = (top_k <= count) | enough | (count == scores.shape[1])
    weights[:, 1:][shares[:, :-1] >= top_p[:, None]] = 0.0
    places = _inverse(weights, draws, reached.tolist())
    drawn = tokens.gather(1, torch.tensor(places)[:, None])[:, 0].tolist()
    for n, draw in enumerate(draws):
        if not reached[n]:
            drawn[n] = _draw_far(scores[n], draw)
    return [int(token) for token in drawn]


def _draw_far(row: Tensor, draw: Draw) -> int:
    """A row whose candidates are many."""
    weights, tokens = _nucleus(row, draw.sampling.top_k, draw.sampling.top_p)
    return int(tokens[_inverse(weights[None], [draw])[0]])


def _nucleus(row: Tensor, top_k: int, top_p: float) -> tuple[Tensor, Tensor]:
    """The candidates that remain, likeliest first, with weights that need not sum to one: the `top_k` likeliest, and
    of those the fewest whose share reaches `top_p`, always at least one."""
    if top_k:
        values, tokens = row.topk(min(top_k, row.numel()))
        return _head(values, tokens, float(values.logsumexp(dim=-1)), top_p)
    total = float(row.logsumexp(dim=-1))
    for count in _CANDIDATES[1:]:
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


def _inverse(weights: Tensor, draws: Sequence[Draw], wanted: Sequence[bool] | None = None) -> list[int]:
    """The index in each row of `weights` that the row's own number falls on, by the cumulated weights. Rows that are
    not `wanted` use up no number and get 0."""
    if weights.device.type == "mps":
        weights = weights.cpu()
    cumulated = weights.cumsum(dim=-1, dtype=torch.float64)
    numbers = [draw.uniform() if wanted is None or wanted[n] else 0.0 for n, draw in enumerate(draws)]
    uniform = torch.tensor(numbers, dtype=torch.float64).to(cumulated.device)
    at = torch.searchsorted(cumulated, (cumulated[:, -1] * uniform)[:, None], right=True)[:, 0]
    # Never past the last that may be drawn: rounding may lead there.
    last = (weights > 0).cumsum(dim=-1).argmax(dim=-1)
    return [int(place) for place in torch.minimum(at, last).tolist()]
