"""Races of ours against peers that live in a process of their own, and what such work costs at the least."""

import gc
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import peer_python
from benchmarks.rows import Row
from ranking import Comparisons

PROGRAM = Path(__file__).parent / "peers" / "ranking.py"
PATIENCE = 0.1  # seconds
LARGEST_DIFFERENCE = 1.5  # points between ours and a peer's where the model is the same: theirs stop early
# FastChat's package leaves scikit-learn's penalty on and stops at its default tolerance.
LARGER_DIFFERENCE = {"fastchat_whole": 5.0}
COMPARED = 50  # battles; what has fewer lies where each peer's penalty puts it


class Peers:
    """One process for all peers, so that what they import and compile is ready after the first round."""

    def __init__(self, left_out: Sequence[str] = ()) -> None:
        self.left_out = left_out
        self.compared: Any = ...  # (M,) whose ratings must be ours
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

    def load(self, votes: Comparisons, **more: Any) -> None:
        met = np.bincount(votes.a, minlength=votes.count) + np.bincount(votes.b, minlength=votes.count)
        self.compared = met >= COMPARED
        arrays = {"a": votes.a, "b": votes.b, "code": (2 * votes.outcome).astype(np.int64), "count": votes.count}
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
                    refuse_other_answer(name, points[peers.compared], their_points[peers.compared])
    return fastest, {name: min(taken) for name, taken in peer.items()}


def refuse_other_answer(name: str, ours: Any, theirs: Any) -> None:
    """A race between different computations says nothing."""
    difference = float(np.nanmax(np.abs((ours - np.nanmean(ours)) - (theirs - np.nanmean(theirs)))))
    if not difference < LARGER_DIFFERENCE.get(name, LARGEST_DIFFERENCE):
        raise RuntimeError(f"{name} differs from ours by {difference:.2f} points; the race would mean nothing")


def rows_of(name: str, size: str, ours: float, theirs: dict[str, float], limit: float | None = None) -> list[Row]:
    """A row for each peer, and one for the `limit` in seconds: what the same work costs without anything around it."""
    rows = [
        Row(f"{name}, against {PEER_NAMES[task]}", size, 1.0 / ours, "per second", 1.0 / seconds)
        for task, seconds in theirs.items()
    ]
    if limit is not None:
        note = f"({ours / limit:.1f} times its cost)"
        rows.append(Row(f"{name}, against the limit", size, 1.0 / ours, "per second", 1.0 / limit, note))
    return rows


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
    "fastchat_whole": "FastChat",
    "notebook_whole": "FastChat's notebook",
    "notebook_slices": "FastChat's notebook",
    "notebook_bootstrap": "FastChat's notebook",
    "notebook_style": "FastChat's notebook",
    "arena_rank_style": "arena-rank",
    "statsmodels_ordinal": "statsmodels",
}
