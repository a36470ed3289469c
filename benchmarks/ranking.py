"""The ranking core against its peers: rounds of ours and of each alternate in one run, one thread for linear algebra.

Peers live in an environment of their own (`benchmarks/peers/ranking.py`), are handed the votes through a file and time
themselves; building what a task is given is counted on neither side. Ours takes integer codes, which is how the log
stores votes, except in the rows "from names". A row compares tasks per second, so that a ratio of 2 is twice as fast.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import limits
from benchmarks.races import Peers, race, rows_of, timed
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

ROUNDS, QUICK_ROUNDS = 5, 1
# As the largest public set of battles, as one of the middle, and as large as an arena gets in years.
SIZES: Any = (
    {"models": 53, "votes": 135_634, "seed": 101, "slices": 11},
    {"models": 100, "votes": 100_000, "seed": 102},
    {"models": 300, "votes": 1_000_000, "seed": 103},
    {"models": 400, "votes": 5_000_000, "seed": 104},
)
LIVE = 4_000  # votes that come one by one
MOST_FOR_FASTCHAT = 500_000
# What a quick run has no time for: seconds for each call.
SLOW = ("arena_rank_fit_prepared", "arena_rank_prepared", "arena_rank_slices", "arena_rank_style", "notebook_bootstrap")
# The largest public set of battles, in the folder of `--real-data`.
REAL = "lmarena140k.parquet"
REAL_OUTCOMES = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}


@dataclass(frozen=True)
class World:
    """Votes of one size, as the log stores them."""

    votes: Comparisons
    masks: Any = None  # (slices, n) which votes belong to each slice
    real: bool = False

    @property
    def size(self) -> str:
        return f"{len(self.votes)} {'real ' * self.real}votes, {self.votes.count} models"

    @property
    def models(self) -> str:
        return f"{self.votes.count} models{', real votes' * self.real}"


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


def real_world(folder: Path) -> World:
    """All votes and those of each category, "both bad" as half, which is how the peers read it."""
    table = pq.read_table(folder / REAL)
    names = sorted(set(table["a"].to_pylist()) | set(table["b"].to_pylist()))
    a, b = (pa.compute.index_in(table[side], value_set=pa.array(names)).to_numpy().astype(np.int64) for side in "ab")
    outcome = np.array([REAL_OUTCOMES[each] for each in table["outcome"].to_pylist()])
    categories = [table[name].to_numpy() for name in table.schema.names if name.startswith("cat_")]
    masks = np.array([np.ones(len(table), dtype=bool), *categories])
    return World(Comparisons(a=a, b=b, outcome=outcome, count=len(names)), masks, real=True)


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


# -- rows


def run(*, quick: bool, real_data: Path | None = None) -> list[Row]:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    rows: list[Row] = []
    with Peers(left_out=SLOW if quick else ()) as peers:
        for world in worlds(quick, real_data):
            more = {} if world.masks is None else {"masks": world.masks}
            peers.load(world.votes, **more)
            rows += fits_from_counts(peers, world, rounds)
            rows += stored_votes(peers, world, rounds)
            if world.masks is not None:
                rows += slices(peers, world, rounds)
                rows += bootstraps(peers, world)
            rows += names_and_elo(peers, world, rounds)
            rows += live(world)
        rows += style(peers, rounds, votes=100_000)
        rows += strengths(peers)
    return rows if quick else rows + memory()


def worlds(quick: bool, real_data: Path | None) -> Iterator[World]:
    if real_data is not None:
        yield real_world(real_data)
    for size in SIZES[:1] if quick else SIZES:
        yield make_world(**size)


def fits_from_counts(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G1, G2 and G10."""
    counts, size, models = count_matrix(world.votes), world.models, world.votes.count
    point, theirs = race(
        peers,
        lambda: point_fit(counts) * 400.0 / np.log(10.0),
        ["choix_counts", "evalica_counts", "arena_rank_fit_prepared"],
        rounds,
    )
    limit = limits.of_fit(models)
    rows = rows_of("fit from counts", size, point, theirs, limit)
    robust, theirs = race(peers, lambda: board(counts), ["arena_rank_prepared"], rounds)
    rows += rows_of("fit with robust intervals from counts", size, robust, theirs, limit + limits.of_errors(models))
    ties = lambda: fit_davidson(counts, prior=None) and None  # noqa: E731
    davidson, theirs = race(peers, ties, ["evalica_ties"], rounds)
    return rows + rows_of("Davidson from counts", size, davidson, theirs, limit)


def stored_votes(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G3 and G4: integer votes in, ratings with robust intervals out; peers begin at their own names.

    FastChat's package writes every battle into a table twice, which a million fill; there its notebook stands for it.
    """
    tasks = ["arena_rank_whole", "evalica_whole", "notebook_whole"]
    tasks += ["fastchat_whole"] * (len(world.votes) < MOST_FOR_FASTCHAT)
    ours, theirs = race(peers, lambda: board(world.votes), tasks, rounds)
    return rows_of("stored votes to ratings with intervals", world.size, ours, theirs, limits.of_board(world.votes))


def slices(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G7: one board for each of eleven overlapping slices."""
    chosen = [world.votes.select(mask) for mask in world.masks]
    ours, theirs = race(
        peers, lambda: [board(votes) for votes in chosen][-1], ["arena_rank_slices", "notebook_slices"], rounds
    )
    return rows_of("eleven slices", world.size, ours, theirs, sum(limits.of_board(votes) for votes in chosen))


def bootstraps(peers: Peers, world: World) -> list[Row]:
    """G9: a hundred resampled boards, each fitted to its exact maximum."""

    def ours() -> None:
        rng = np.random.default_rng(109)
        bootstrap_bradley_terry(world.votes, rng=rng, draws=100, both_bad=BothBad.HALF)

    seconds, theirs = race(peers, ours, ["notebook_bootstrap"], 1)
    return rows_of("100 bootstraps", world.size, seconds, theirs, 100 * limits.of_fit(world.votes.count))


def names_and_elo(peers: Peers, world: World, rounds: int) -> list[Row]:
    """G5 and G12."""
    votes = world.votes
    labels = pa.array([f"model-{number:04}" for number in range(votes.count)])
    outcomes = pa.array(["model_b", "tie", "model_a"])
    # Taken from few names they are one piece each; made from numpy's text they would come in slow pieces.
    columns = [labels.take(votes.a), labels.take(votes.b), outcomes.take((2 * votes.outcome).astype(int))]
    tasks = ["arena_rank_whole", "evalica_whole", "notebook_whole"]
    ours, theirs = race(peers, lambda: from_names(*columns), tasks, rounds)
    rows = rows_of("from names", world.size, ours, theirs, limits.of_names(*columns[:2]))
    elo, theirs = race(peers, lambda: rate_elo(votes).points, ["evalica_elo"], rounds)
    return rows + rows_of("Elo", world.size, elo, theirs, limits.of_elo(len(votes)))


def memory() -> list[Row]:
    """G4: what a board of the largest size takes beside its votes."""
    megabytes, largest = limits.extra_megabytes(), SIZES[-1]
    size = f"{largest['votes']} votes, {largest['models']} models"
    return [] if megabytes is None else [Row("extra memory of a board", size, megabytes, "MB")]


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
    limit = 1e6 * limits.of_one_vote(votes.count)
    return [
        Row("one vote to all ratings", size, 1e6 * median(taken), "µs", limit, "(times its cost)"),
        Row("one vote to all ratings, polishes shared out", size, 1e6 * sum(taken) / len(taken), "µs"),
        Row("drift between polishes", size, drift, "points"),
        Row("standard errors of live ratings", size, 1e6 * errors, "µs"),
    ]


def style(peers: Peers, rounds: int, *, votes: int) -> list[Row]:
    """G8: six covariates of style. arena-rank adds a penalty to the mean loss by default, so its answer is another."""
    world = make_world(models=100, votes=votes, seed=105)
    covariates = np.random.default_rng(106).normal(size=(votes, 6))
    styled = replace(world.votes, covariates=covariates)
    peers.load(world.votes, covariates=covariates)
    limit, rows = limits.of_covariates(world.votes, covariates), []
    for task, compared in (("arena_rank_style", False), ("notebook_style", True)):
        ours, theirs = race(peers, lambda compared=compared: adjusted(styled, shown=compared), [task], rounds)
        rows += rows_of("six covariates with intervals", world.size, ours, theirs, None if compared else limit)
    return rows


def adjusted(votes: Comparisons, *, shown: bool) -> Any:
    fit = fit_with_covariates(votes, side=Side.NONE, prior=None, covariance=Covariance.SANDWICH, both_bad=BothBad.HALF)
    return fit.to_points().points if shown else None


def strengths(peers: Peers) -> list[Row]:
    """G11: nine grades among ten models."""
    world = make_world(models=10, votes=20_000, seed=107)
    votes, rng = world.votes, np.random.default_rng(108)
    graded = replace(votes, strength=np.where(votes.outcome == 0.5, 0, rng.integers(1, 5, size=len(votes))))
    peers.load(votes, grade=graded.grade)
    ours, theirs = race(
        peers, lambda: fit_ordinal(graded, levels=4, prior=None).to_points().points, ["statsmodels_ordinal"], 1
    )
    return rows_of("nine grades", world.size, ours, theirs)
