"""The ranking core against its peers: rounds of ours and of each alternate in one run, one thread for linear algebra.

Peers live in an environment of their own (`benchmarks/peers/ranking.py`), are handed the votes through a file and time
themselves; building what a task is given is counted on neither side. Ours takes integer codes, which is how the log
stores votes, except in the rows "from names". A row compares tasks per second, so that a ratio of 2 is twice as fast.
"""

import gc
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.linalg import lapack

from benchmarks.peers import peer_python
from benchmarks.rows import Row
from ranking import (
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    LiveRatings,
    Side,
    bootstrap_bradley_terry,
    bradley_terry_strengths,
    count_matrix,
    fit_bradley_terry,
    fit_davidson,
    fit_ordinal,
    fit_with_covariates,
    rate_elo,
)

PROGRAM = Path(__file__).parent / "peers" / "ranking.py"
PATIENCE = 0.1  # seconds
ROUNDS, QUICK_ROUNDS = 5, 1
# As the largest public set of battles, as one of the middle, and as large as an arena gets in years.
SIZES: Any = (
    {"models": 53, "votes": 135_634, "seed": 101, "slices": 11},
    {"models": 100, "votes": 100_000, "seed": 102},
    {"models": 300, "votes": 1_000_000, "seed": 103},
    {"models": 400, "votes": 5_000_000, "seed": 104},
)
LIVE = 4_000  # votes that come one by one
# What a quick run has no time for: seconds for each call.
SLOW = ("arena_rank_fit_prepared", "arena_rank_prepared", "arena_rank_slices", "arena_rank_style", "notebook_bootstrap")
LARGEST_DIFFERENCE = 1.5  # points between ours and a peer's where the model is the same: theirs stop early


@dataclass(frozen=True)
class World:
    """Votes of one size, as the log stores them."""

    votes: Comparisons
    masks: Any = None  # (slices, n) which votes belong to each slice

    @property
    def size(self) -> str:
        return f"{len(self.votes)} votes, {self.votes.count} models"


def make_world(*, models: int, votes: int, seed: int, slices: int = 0) -> World:
    """Strengths spread by one logit, models met unevenly often, a fifth of the votes ties."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=models)
    often = rng.dirichlet(np.full(models, 3.0))
    a = rng.choice(models, size=votes, p=often)
    b = (a + rng.integers(1, models, size=votes)) % models
    outcome = (rng.random(votes) < 1.0 / (1.0 + np.exp(strength[b] - strength[a]))).astype(float)
    outcome[rng.random(votes) < 0.2] = 0.5
    masks = rng.random((slices, votes)) < 0.3 if slices else None
    return World(Comparisons(a=a, b=b, outcome=outcome, count=models), masks)


class Peers:
    """One process for all peers, so that what they import and compile is ready after the first round."""

    def __init__(self, left_out: Sequence[str] = ()) -> None:
        self.left_out = left_out
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
        flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
        self.process = subprocess.Popen(
            [str(peer_python("ranking")), "-W", "ignore", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment | threads | flags,
        )

    def __enter__(self) -> "Peers":
        return self

    def __exit__(self, *problem: object) -> None:
        with self.process:
            self.process.terminate()

    def load(self, world: World, **more: Any) -> None:
        votes = world.votes
        arrays = {"a": votes.a, "b": votes.b, "code": (2 * votes.outcome).astype(np.int64), "count": votes.count}
        if world.masks is not None:
            arrays["masks"] = world.masks
        with tempfile.NamedTemporaryFile(suffix=".npz") as file:
            np.savez(file, **arrays, **more)
            file.flush()
            self.ask({"load": file.name})

    def time(self, task: str) -> tuple[float, Any]:
        answer = self.ask({"time": task})
        return answer["seconds"], np.array(answer["points"])

    def ask(self, request: dict[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peers' process ended at {request}")
        return json.loads(line)


def timed(task: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the fastest call of as many as fit into a tenth of a second, at least one."""
    gc.collect()
    fastest, spent = inf, 0.0
    while spent < PATIENCE:
        begun = time.perf_counter()
        found = task()
        taken = time.perf_counter() - begun
        fastest, spent = min(fastest, taken), spent + taken
    return fastest, found


def race(peers: Peers, ours: Callable[[], Any], theirs: Sequence[str], rounds: int) -> tuple[float, dict[str, float]]:
    """The fastest of each over all rounds, which other load on the machine disturbs least."""
    fastest = inf
    peer: dict[str, list[float]] = {name: [] for name in theirs if name not in peers.left_out}
    for _ in range(rounds + 1):
        seconds, points = timed(ours)
        fastest = min(fastest, seconds)
        for name, taken in peer.items():
            if sum(taken) < 60:  # a slow peer need not run as often to be known as slow
                seconds, their_points = peers.time(name)
                taken.append(seconds)
                if points is not None:
                    refuse_other_answer(name, points, their_points)
    return fastest, {name: min(taken) for name, taken in peer.items()}


def refuse_other_answer(name: str, ours: Any, theirs: Any) -> None:
    """A race between different computations says nothing."""
    difference = float(np.nanmax(np.abs((ours - np.nanmean(ours)) - (theirs - np.nanmean(theirs)))))
    if not difference < LARGEST_DIFFERENCE:
        raise RuntimeError(f"{name} differs from ours by {difference:.2f} points; the race would mean nothing")


def rows_of(name: str, size: str, ours: float, theirs: dict[str, float]) -> list[Row]:
    return [
        Row(f"{name}, against {PEER_NAMES[task]}", size, 1.0 / ours, "per second", 1.0 / seconds)
        for task, seconds in theirs.items()
    ]


PEER_NAMES = {
    "arena_rank_fit_prepared": "arena-rank",
    "arena_rank_prepared": "arena-rank",
    "arena_rank_whole": "arena-rank",
    "arena_rank_slices": "arena-rank",
    "evalica_whole": "evalica",
    "evalica_counts": "evalica",
    "evalica_ties": "evalica",
    "evalica_elo": "evalica",
    "choix_counts": "choix",
    "notebook_whole": "FastChat's notebook",
    "notebook_slices": "FastChat's notebook",
    "notebook_bootstrap": "FastChat's notebook",
    "notebook_style": "FastChat's notebook",
    "arena_rank_style": "arena-rank",
    "statsmodels_ordinal": "statsmodels",
}


# -- ours


def point_fit(counts: Counts) -> Any:
    return bradley_terry_strengths(counts, prior=None, both_bad=BothBad.HALF)


def board(data: Comparisons | Counts) -> Any:
    """Ratings with robust 95 % intervals, as points."""
    return fit_bradley_terry(data, prior=None, covariance=Covariance.SANDWICH, both_bad=BothBad.HALF).to_points().points


def from_names(first: Any, second: Any, outcome: Any) -> Any:
    """Names are numbered first, which is most of the work."""
    names = pa.chunked_array([first, second]).combine_chunks().dictionary_encode()
    codes = names.indices.to_numpy().astype(np.int64)
    count = len(first)
    scores = pa.compute.index_in(outcome, value_set=pa.array(["model_b", "tie", "model_a"])).to_numpy() / 2.0
    votes = Comparisons(a=codes[:count], b=codes[count:], outcome=scores, count=len(names.dictionary))
    points = board(votes)
    return points[np.argsort(names.dictionary.to_numpy(zero_copy_only=False))]


def limit_of_fit(size: int) -> float:
    """Seconds of what no exact fit from counts can do without: a few factorisations and passes over M² cells."""
    rng = np.random.default_rng(3)
    cells = rng.random((size, size)) + size * np.eye(size)

    def work() -> Any:
        for _ in range(3):
            odds = np.exp(cells[0])
            shares = cells / np.add.outer(odds, odds)
            lapack.dpotrf(cells.T, lower=1)
        return shares

    return timed(work)[0]


# -- rows


def run(*, quick: bool) -> list[Row]:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    rows: list[Row] = []
    with Peers(left_out=SLOW if quick else ()) as peers:
        for size in SIZES[:1] if quick else SIZES:
            world = make_world(**size)
            peers.load(world)
            rows += fits_from_counts(peers, world, rounds)
            rows += stored_votes(peers, world, rounds)
            if world.masks is not None:
                rows += slices(peers, world, rounds)
                rows += bootstraps(peers, world)
            rows += names_and_elo(peers, world, rounds)
            rows += live(world)
        rows += style(peers, rounds, votes=100_000)
        rows += strengths(peers)
    return rows


def fits_from_counts(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G1, G2 and G10."""
    counts, size = count_matrix(world.votes), f"{world.votes.count} models"
    point, theirs = race(
        peers,
        lambda: point_fit(counts) * 400.0 / np.log(10.0),
        ["choix_counts", "evalica_counts", "arena_rank_fit_prepared"],
        rounds,
    )
    rows = rows_of("fit from counts", size, point, theirs)
    rows.append(
        Row("fit from counts, against the limit", size, 1 / point, "per second", 1 / limit_of_fit(counts.count))
    )
    robust, theirs = race(peers, lambda: board(counts), ["arena_rank_prepared"], rounds)
    rows += rows_of("fit with robust intervals from counts", size, robust, theirs)
    ties = lambda: fit_davidson(counts, prior=None) and None  # noqa: E731
    davidson, theirs = race(peers, ties, ["evalica_ties"], rounds)
    return rows + rows_of("Davidson from counts", size, davidson, theirs)


def stored_votes(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G3 and G4: integer votes in, ratings with robust intervals out; peers begin at their own names."""
    ours, theirs = race(
        peers, lambda: board(world.votes), ["arena_rank_whole", "evalica_whole", "notebook_whole"], rounds
    )
    return rows_of("stored votes to ratings with intervals", world.size, ours, theirs)


def slices(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G7: one board for each of eleven overlapping slices."""
    chosen = [world.votes.select(mask) for mask in world.masks]
    ours, theirs = race(
        peers, lambda: [board(votes) for votes in chosen][-1], ["arena_rank_slices", "notebook_slices"], rounds
    )
    return rows_of("eleven slices", world.size, ours, theirs)


def bootstraps(peers: Peers, world: World) -> list[Row]:
    """G9: a hundred resampled boards, each fitted to its exact maximum."""

    def ours() -> None:
        rng = np.random.default_rng(109)
        bootstrap_bradley_terry(world.votes, rng=rng, draws=100, both_bad=BothBad.HALF)

    seconds, theirs = race(peers, ours, ["notebook_bootstrap"], 1)
    return rows_of("100 bootstraps", world.size, seconds, theirs)


def names_and_elo(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G5 and G12."""
    votes = world.votes
    labels = np.array([f"model-{number:04}" for number in range(votes.count)])
    outcomes = np.array(["model_b", "tie", "model_a"])[(2 * votes.outcome).astype(int)]
    columns = [pa.array(column) for column in (labels[votes.a], labels[votes.b], outcomes)]
    tasks = ["arena_rank_whole", "evalica_whole", "notebook_whole"]
    ours, theirs = race(peers, lambda: from_names(*columns), tasks, rounds)
    rows = rows_of("from names", world.size, ours, theirs)
    elo, theirs = race(peers, lambda: rate_elo(votes).points, ["evalica_elo"], rounds)
    return rows + rows_of("Elo", world.size, elo, theirs)


def live(world: World) -> list[Row]:
    """G6: the last votes one by one, and how far the ratings have drifted from the exact ones before each polish."""
    votes, size = world.votes, world.size
    last = min(LIVE, len(votes) // 4)
    ratings = LiveRatings(votes.select(np.arange(len(votes) - last)))
    taken, drift, gap = [], 0.0, max(1, last // 20)
    for row in range(len(votes) - last, len(votes)):
        a, b, outcome = int(votes.a[row]), int(votes.b[row]), float(votes.outcome[row])
        begun = time.perf_counter()
        ratings.add(a, b, outcome)
        taken.append(time.perf_counter() - begun)
        if (row + 1) % gap == 0:
            exact = fit_bradley_terry(ratings.counts.freeze()).to_points().points
            drift = max(drift, float(np.abs(exact - ratings.points()).max()))
    errors, _ = timed(ratings.standard_error)
    return [
        Row("one vote to all ratings", size, 1e6 * median(taken), "µs"),
        Row("one vote to all ratings, polishes shared out", size, 1e6 * sum(taken) / len(taken), "µs"),
        Row("drift between polishes", size, drift, "points"),
        Row("standard errors of live ratings", size, 1e6 * errors, "µs"),
    ]


def style(peers: Peers, rounds: int, *, votes: int) -> list[Row]:
    """G8: six covariates of style. arena-rank adds a penalty to the mean loss by default, so its answer is another."""
    world = make_world(models=100, votes=votes, seed=105)
    covariates = np.random.default_rng(106).normal(size=(votes, 6))
    styled = replace(world.votes, covariates=covariates)
    peers.load(world, covariates=covariates)
    rows = []
    for task, compared in (("arena_rank_style", False), ("notebook_style", True)):
        ours, theirs = race(peers, lambda compared=compared: adjusted(styled, shown=compared), [task], rounds)
        rows += rows_of("six covariates with intervals", world.size, ours, theirs)
    return rows


def adjusted(votes: Comparisons, *, shown: bool) -> Any:
    fit = fit_with_covariates(votes, side=Side.NONE, prior=None, covariance=Covariance.SANDWICH, both_bad=BothBad.HALF)
    return fit.to_points().points if shown else None


def strengths(peers: Peers) -> list[Row]:
    """G11: nine grades among ten models."""
    world = make_world(models=10, votes=2_000, seed=107)
    votes, rng = world.votes, np.random.default_rng(108)
    graded = replace(votes, strength=np.where(votes.outcome == 0.5, 0, rng.integers(1, 5, size=len(votes))))
    peers.load(world, grade=graded.grade)
    ours, theirs = race(
        peers, lambda: fit_ordinal(graded, levels=4, prior=None).to_points().points, ["statsmodels_ordinal"], 1
    )
    return rows_of("nine grades", world.size, ours, theirs)
