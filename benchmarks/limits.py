"""What the work of the ranking core costs at the least: the same arithmetic on arrays made ready, nothing around it.

Seconds, each the fastest of several runs, measured in the run that it is compared with.
"""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.linalg import blas, lapack
from scipy.signal import lfilter

from benchmarks.races import timed
from ranking import Comparisons

NEWTON_STEPS = 3


def of_fit(models: int) -> float:
    """An exact fit from counts: a few factorisations and passes over M² cells."""
    rng = np.random.default_rng(3)
    cells = rng.random((models, models)) + models * np.eye(models)

    def work() -> Any:
        for _ in range(NEWTON_STEPS):
            odds = np.exp(cells[0])
            shares = cells / np.add.outer(odds, odds)
            lapack.dpotrf(cells.T, lower=1)
        return shares

    return timed(work)[0]


def of_errors(models: int) -> float:
    """A sandwich: one inverse from its factor, one product of M x M."""
    rng = np.random.default_rng(3)
    cells = rng.random((models, models)) + models * np.eye(models)
    factor, _ = lapack.dpotrf(cells.T, lower=1)

    def work() -> Any:
        inverse, _ = lapack.dpotri(factor, lower=1)
        return blas.dgemm(1.0, inverse, cells)

    return timed(work)[0]


def of_count(votes: Comparisons) -> float:
    """One histogram over 4·M² cells, each vote's cell known."""
    cell = ((2 * votes.outcome).astype(np.int64) * votes.count + votes.a) * votes.count + votes.b
    return timed(lambda: np.bincount(cell, minlength=4 * votes.count**2))[0]


def of_board(votes: Comparisons) -> float:
    return of_count(votes) + of_fit(votes.count) + of_errors(votes.count)


def of_names(first: Any, second: Any) -> float:
    """Numbering the names of both sides."""
    return timed(lambda: pa.chunked_array([first, second]).combine_chunks().dictionary_encode())[0]


def of_elo(votes: int) -> float:
    """A compiled recurrence over the votes, each needing the one before."""
    values = np.random.default_rng(3).random(votes)
    return timed(lambda: lfilter([1.0], [1.0, -0.5], values))[0]


def of_one_vote(models: int) -> float:
    """One multiple of a column added to M ratings."""
    ratings, column = np.zeros(models), np.random.default_rng(3).random(models)

    def work() -> None:
        for _ in range(1000):
            np.add(ratings, 1e-9 * column, out=ratings)

    return timed(work)[0] / 1000


def of_covariates(votes: Comparisons, covariates: Any) -> float:
    """In each step of Newton's method a histogram and a weighted product of the columns with themselves."""
    columns, weight = np.ascontiguousarray(covariates.T), np.ones(len(votes))
    cell = votes.a * votes.count + votes.b

    def work() -> Any:
        for _ in range(NEWTON_STEPS):
            np.bincount(cell, weight, minlength=votes.count**2)
            product = (columns * weight) @ columns.T
        return product

    return timed(work)[0] + of_fit(votes.count)


MEMORY = """
import re
from pathlib import Path
from benchmarks.ranking import SIZES, board, make_world

def kilobytes(name):
    return int(re.search(rf"{name}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

board(make_world(models=20, votes=1_000, seed=1).votes)
votes = make_world(**SIZES[-1]).votes
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: making the votes took more than rating them
before = kilobytes("VmRSS")
board(votes)
print((kilobytes("VmHWM") - before) / 1000)
"""


def extra_megabytes() -> float | None:
    """Peak memory of one board of the largest size beside its votes, in a process of its own; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    return float(done.stdout)
