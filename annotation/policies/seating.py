"""Who writes the responses to each prompt: drawn so that every pair meets as often as every other."""

import numpy as np

# Seatings are made for so many prompts and then repeated: what is even in a part is even in the whole.
BLOCK = 2_000


def balanced_seats(*, prompts: int, contestants: int, seats: int, rng: np.random.Generator) -> np.ndarray:
    """(prompts, seats) indices of contestants, different ones in each row and in an order that is drawn.

    Two contestants meet in nearly the same number of rows, whichever two they are. ValueError for fewer contestants
    than seats.
    """
    if contestants < seats:
        raise ValueError(f"{contestants} contestants do not fill {seats} seats")
    block = _pairs(contestants, rng) if seats == 2 else _block(min(prompts, BLOCK), contestants, seats, rng)
    repeats = -(-prompts // len(block))
    rows = np.concatenate([rng.permutation(block) for _ in range(repeats)])[:prompts]
    shuffled: np.ndarray = rng.permuted(rows, axis=1)
    return shuffled


def _pairs(contestants: int, rng: np.random.Generator) -> np.ndarray:
    first, second = np.triu_indices(contestants, k=1)
    return rng.permutation(np.column_stack([first, second]))


def _block(rows: int, contestants: int, seats: int, rng: np.random.Generator) -> np.ndarray:
    """Row by row, each seat to whoever met those who sit there least often, and was seated least often."""
    if contestants == seats:
        return np.tile(np.arange(contestants), (1, 1))
    met = np.zeros((contestants, contestants))
    seated = np.zeros(contestants)
    block = np.empty((rows, seats), dtype=np.int64)
    for row in block:
        for place in range(seats):
            taken = row[:place]
            cost = met[:, taken].sum(axis=1) * rows + seated + rng.random(contestants) / 2
            cost[taken] = np.inf
            row[place] = int(np.argmin(cost))
        met[np.ix_(row, row)] += 1
        seated[row] += 1
    return block
