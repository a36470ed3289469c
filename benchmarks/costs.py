"""What choosing pairs and keeping the posterior costs, on boards of uniform votes among normal strengths."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from benchmarks import asap
from benchmarks.many_boards import random_board
from benchmarks.peers import at_hand
from benchmarks.races import Peers
from benchmarks.rows import Row
from benchmarks.worlds import REPORTING
from ranking import Candidates, Comparisons, RobustPolicy, SelectionState, generator


def cost_of_a_choice() -> list[Row]:
    """Row 9: processor time of this thread, 99th percentile of 500 choices on a warm posterior."""
    rows = []
    for count in (300, 1000):
        state = random_board(count, 20 * count, np.random.default_rng(REPORTING))
        candidates, policy, spent, passed = Candidates(state.names), RobustPolicy(), [], []
        for seed in range(520):
            rng = generator(seed)
            wall, cpu = time.perf_counter(), time.thread_time()
            policy.choose(state, candidates, rng)
            spent.append(time.thread_time() - cpu)
            passed.append(time.perf_counter() - wall)
        p99, middle = np.quantile(spent[20:], 0.99), np.median(passed[20:])
        note = f"(median on the clock {1000 * middle:.2f} ms, 500 choices)"
        rows.append(Row("p99 of a choice", f"{count} models", 1000 * float(p99), "ms", note=note))
    return rows


def cost_of_a_refit(quick: bool) -> list[Row]:
    """Row 10: from the counts of 200,000 votes, after the last fifteenth of them came, and from nothing.

    arena-rank, where its environment is at hand, fits strengths alone to the same votes, prepared for it.
    """
    votes = random_votes(300, 200_000, np.random.default_rng(REPORTING))
    wins, before = counted(votes, 200_000), counted(votes, 200_000 * 14 // 15)
    state = SelectionState.restored(range(300), before)

    def refit() -> float:
        begun = state.copy()
        begun.wins, begun.met, begun.votes = wins, wins + wins.T, len(votes)
        return clocked(begun.refit)

    warm = 1000 * float(np.median([refit() for _ in range(9)]))
    cold = 1000 * float(np.median([clocked(lambda: SelectionState.restored(range(300), wins)) for _ in range(5)]))
    peer, note = None, "(9 refits, Newton starts from the last mode)"
    if not quick and at_hand("ranking"):
        with Peers() as peers:
            peers.load(votes)
            peer, note = 1000 * min(peers.time("arena_rank_fit_prepared")[0] for _ in range(2)), "(against arena-rank)"
    return [
        Row("refit from counts", "300 models, 200,000 votes", warm, "ms", peer, note),
        Row("state from counts alone", "300 models, 200,000 votes", cold, "ms", note="(5 times, two fits each)"),
    ]


def cost_against_asap(quick: bool) -> list[Row]:
    """Row 11: what one more pair costs with all that a vote changes; ASAP-approx starts from the counts every time.

    The published program works out the gain of one pair after another; the transcription does all at once, or as they.
    """
    rng = np.random.default_rng(REPORTING)
    state, rows = random_board(100, 2_000, rng), []
    wins, candidates, policy = state.wins.copy(), Candidates(state.names), RobustPolicy()

    def step(seed: int) -> None:
        choice = policy.choose(state, candidates, generator(seed))
        state.record(*choice.order, float(rng.random() < 0.5))

    # Of three rounds, each with a refit, the one that other load on the machine disturbed least.
    rounds = [
        [clocked(lambda seed=seed: step(seed)) for seed in range(180 * each, 180 * (each + 1))] for each in range(3)
    ]
    ours = 1e6 * float(np.mean(rounds, axis=1).min())
    peers: dict[str, tuple[Callable[[], object], int]] = {
        "all pairs at once": (lambda: asap.one_pair(wins, rng), 30),
        "one pair after another": (lambda: asap.one_pair(wins, rng, gains=asap.gains_in_turn), 2 if quick else 5),
    }
    for name, (task, times) in peers.items():
        theirs = 1e6 * min(clocked(task) for _ in range(times))
        rows.append(Row("a pair chosen and its vote learned", f"100 models, ASAP-approx {name}", ours, "µs", theirs))
    batch = 1e6 * min(clocked(lambda: policy.choose_batch(state, candidates, generator(1), 99)) for _ in range(15))
    tree = 1e6 * min(clocked(lambda: asap.batch(wins, rng)) for _ in range(15))
    note = "(ours with the probability of each pair given those before it)"
    size = "100 models, ASAP-approx all pairs at once"
    return [*rows, Row("a pair of a batch of 99", size, batch / 99, "µs", tree / 99, note)]


def random_votes(count: int, votes: int, rng: np.random.Generator) -> Comparisons:
    strength = rng.standard_normal(count)
    first = rng.integers(0, count, votes)
    second = (first + rng.integers(1, count, votes)) % count
    won = rng.random(votes) < expit(strength[first] - strength[second])
    return Comparisons(a=first, b=second, outcome=won.astype(np.float64), count=count)


def counted(votes: Comparisons, first: int) -> asap.Floats:
    """(M, M) wins among the first so many."""
    wins = np.zeros((votes.count, votes.count))
    np.add.at(wins, (votes.a[:first], votes.b[:first]), votes.outcome[:first])
    np.add.at(wins, (votes.b[:first], votes.a[:first]), 1.0 - votes.outcome[:first])
    return wins


def clocked(task: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    task()
    return time.perf_counter() - begun
