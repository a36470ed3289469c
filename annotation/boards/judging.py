"""Model judges beside people on the same items: agreement, flips, and what they lean to that people do not."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Fewer items say too little for a figure with an interval.
LEAST = 30
LEVEL = 0.95
DRAWS = 1_000
# The two responses by the item's own order, and neither.
FIRST, SECOND, TIE = 0, 1, 2
NOWHERE = -1


@dataclass(frozen=True)
class Figure:
    """An estimate with its 95 % interval from `n` items; `value` is None where these are too few, or say nothing."""

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def percent(self) -> tuple[float | None, float | None, float | None]:
        value, low, high = (None if each is None else 100 * each for each in (self.value, self.low, self.high))
        return value, low, high

    @property
    def leans(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, eq=False)
class Judged:
    """Items that a judge was asked about in both orders.

    `judge` and `people` (n, 3) count verdicts and votes for the first response, the second, and neither, by the item's
    own order; `flipped` (n,) says that the two orders were answered differently. `longer` and `own` (n,) are the place
    of the longer response and of the one of the judge's own model or organisation, NOWHERE where there is none;
    `log_ratio` (n,) is the logarithm of the first's length over the second's.
    """

    judge: Ints
    people: Ints
    flipped: npt.NDArray[np.bool_]
    first_shown: Ints  # (n,) how many of its two verdicts took the side shown first
    longer: Ints
    own: Ints
    log_ratio: Floats

    def __len__(self) -> int:
        return len(self.judge)


@dataclass(frozen=True)
class JudgeFigures:
    """`agreement` and `kappa` are with people, `among_people` is theirs with each other on the same items. `flips` is
    the share of items whose answer hangs on the order, `first_side` the share of verdicts for the side shown first.
    `longer` and `own_kind` say how much more often than people the judge takes the longer response, and its own kind's;
    `slope` how much more its odds of taking a response rise with a response of e times the length."""

    agreement: Figure
    kappa: Figure
    among_people: Figure
    flips: Figure
    first_side: Figure
    longer: Figure
    slope: Figure
    own_kind: Figure


def judge_figures(found: Judged, rng: np.random.Generator) -> JudgeFigures:
    """Intervals are of items drawn anew: verdicts and votes about one item are not independent."""
    voted = found.people.sum(axis=1) > 0
    judge, people = _shares(found.judge[voted]), _shares(found.people[voted])
    return JudgeFigures(
        agreement=_mean((judge * people).sum(axis=1), rng),
        kappa=_kappa(judge, people, rng),
        among_people=_mean(_among(found.people[found.people.sum(axis=1) > 1]), rng),
        flips=wilson(int(found.flipped.sum()), len(found)),
        first_side=_mean(found.first_shown / 2.0, rng),
        longer=_excess(judge, people, found.longer[voted], rng),
        slope=_slope(found, voted),
        own_kind=_excess(judge, people, found.own[voted], rng),
    )


def wilson(hits: int, n: int) -> Figure:
    if n < LEAST:
        return Figure(n)
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    share, around = hits / n, z * z / n
    middle = (share + around / 2) / (1 + around)
    half = z * np.sqrt(share * (1 - share) / n + around / (4 * n)) / (1 + around)
    return Figure(n, share, max(float(middle - half), 0.0), min(float(middle + half), 1.0))


def _shares(counts: Ints) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def _among(counts: Ints) -> Floats:
    """The chance that two different people say the same of an item."""
    total = counts.sum(axis=1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / (total * (total - 1)), dtype=np.float64)


def _drawn(n: int, rng: np.random.Generator) -> Floats:
    """(DRAWS, n) how often each item comes, as a share."""
    return np.asarray(rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) / n, dtype=np.float64)


def _mean(values: Floats, rng: np.random.Generator) -> Figure:
    if len(values) < LEAST:
        return Figure(len(values))
    return _figure(float(values.mean()), _drawn(len(values), rng) @ values, len(values))


def _figure(value: float, drawn: Floats, n: int) -> Figure:
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Figure(n, value, float(low), float(high))


def _kappa(judge: Floats, people: Floats, rng: np.random.Generator) -> Figure:
    """(observed - by chance) / (1 - by chance), where chance is what their own shares of answers would give."""
    if len(judge) < LEAST:
        return Figure(len(judge))

    def corrected(weights: Floats) -> Floats:
        observed = weights @ (judge * people).sum(axis=1)
        chance = ((weights @ judge) * (weights @ people)).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((observed - chance) / (1 - chance), dtype=np.float64)

    value = float(corrected(np.full((1, len(judge)), 1 / len(judge)))[0])
    if not np.isfinite(value):
        return Figure(len(judge))
    return _figure(value, corrected(_drawn(len(judge), rng)), len(judge))


def _excess(judge: Floats, people: Floats, place: Ints, rng: np.random.Generator) -> Figure:
    """How much more of the judge's verdicts than of people's votes go to the response at this place, ties half."""
    there = place != NOWHERE
    rows, at = np.arange(int(there.sum())), place[there]

    def taken(shares: Floats) -> Floats:
        chosen = shares[there]
        return np.asarray(chosen[rows, at] + chosen[:, TIE] / 2, dtype=np.float64)

    return _mean(taken(judge) - taken(people), rng)


def _slope(found: Judged, voted: npt.NDArray[np.bool_]) -> Figure:
    """Of the logistic regression of choosing the first response on its log length ratio, with a slope and an intercept
    for people and what the judge's are beyond; the error is by items. Ties are left out."""
    taken = voted & (found.longer != NOWHERE)
    n = int(taken.sum())
    if n < LEAST:
        return Figure(n)
    x = found.log_ratio[taken]
    parts = [(found.people[taken], 0.0), (found.judge[taken], 1.0)]
    design = np.concatenate(
        [np.column_stack([np.ones(n), x, np.full(n, is_judge), is_judge * x]) for _, is_judge in parts]
    )
    wins = np.concatenate([counts[:, FIRST] for counts, _ in parts]).astype(float)
    tries = np.concatenate([counts[:, FIRST] + counts[:, SECOND] for counts, _ in parts]).astype(float)
    fitted = _logistic(design, wins, tries)
    if fitted is None:
        return Figure(n)
    weights, bread = fitted
    scores = design * (wins - tries / (1 + np.exp(-design @ weights)))[:, None]
    by_item = scores[:n] + scores[n:]
    spread = bread @ (by_item.T @ by_item) @ bread
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * float(np.sqrt(spread[3, 3]))
    value = float(weights[3])
    return Figure(n, value, value - half, value + half)


def _logistic(design: Floats, wins: Floats, tries: Floats) -> tuple[Floats, Floats] | None:
    """Weights and the inverse of the information; None where nothing keeps them finite."""
    weights = np.zeros(design.shape[1])
    for _round in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        information = design.T @ (design * (tries * chance * (1 - chance))[:, None])
        if np.linalg.cond(information) > 1e10:
            return None
        step = np.linalg.solve(information, design.T @ (wins - tries * chance))
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            return weights, np.asarray(np.linalg.inv(information), dtype=np.float64)
    return None
