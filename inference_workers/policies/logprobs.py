"""Log-probabilities as they are kept: four bytes for each token."""

import math
import struct
from collections.abc import Sequence


def packed(logprobs: Sequence[float]) -> bytes:
    """As float32, little-endian, in order."""
    return struct.pack(f"<{len(logprobs)}f", *logprobs)


def unpacked(kept: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(kept) // 4}f", kept)


def perplexity(logprobs: Sequence[float]) -> float | None:
    """How many tokens it hesitated between, on average; 1 is certainty. None of no tokens."""
    return math.exp(-sum(logprobs) / len(logprobs)) if logprobs else None
