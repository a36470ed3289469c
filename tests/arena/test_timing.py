"""An attacker who has only the times and sizes of what a battle's stream sends, and is to name the model at side A.

Ten synthetic models differ in everything that timing could tell: first token, speed, size of pieces, jitter, pauses.
How long their texts are is drawn alike for all, since length shows in the text itself. The clock is planted.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from arena.lockstep import CHARACTERS_PER_TOKEN, TICK, Lockstep, Speed, Tempo

CHANCE = 0.1
BATTLES = 1500
LEARNED_FROM = 1000
# A stream that sends nothing for so many seconds has a pause.
PAUSE = 0.35


@dataclass(frozen=True)
class Model:
    first_token: float
    characters_per_second: float
    piece: int
    jitter: float
    pauses_per_second: float
    pause: float


MODELS = [
    Model(0.2, 400, 4, 0.05, 0.0, 0.0),
    Model(0.3, 250, 12, 0.20, 0.0, 0.0),
    Model(0.4, 180, 4, 0.40, 0.05, 0.8),
    Model(0.5, 140, 40, 0.10, 0.0, 0.0),
    Model(0.6, 110, 5, 0.20, 0.10, 0.5),
    Model(0.8, 90, 4, 0.05, 0.0, 0.0),
    Model(1.0, 75, 20, 0.50, 0.02, 1.5),
    Model(1.3, 60, 4, 0.10, 0.0, 0.0),
    Model(1.8, 45, 8, 0.30, 0.05, 1.0),
    Model(2.5, 35, 4, 0.15, 0.0, 0.0),
]

Pieces = list[tuple[float, int]]
Events = list[tuple[float, int, int]]


def written(model: Model, length: int, rng: np.random.Generator) -> Pieces:
    """When each piece of a text comes, and how many characters it has."""
    count = -(-length // model.piece)
    step = model.piece / model.characters_per_second
    gaps = step * rng.lognormal(-(model.jitter**2) / 2, model.jitter, count)
    paused = rng.random(count) < model.pauses_per_second * step
    gaps[paused] += model.pause * rng.lognormal(0.0, 0.3, int(paused.sum()))
    gaps[0] = model.first_token * rng.lognormal(0.0, 0.15)
    sizes = np.full(count, model.piece)
    sizes[-1] = length - model.piece * (count - 1)
    return list(zip(np.cumsum(gaps).tolist(), sizes.tolist(), strict=True))


def tempo_of_all() -> Tempo:
    """As the arena knows it: from what its models did before."""
    rates = [model.characters_per_second / (1 + model.pauses_per_second * model.pause) for model in MODELS]
    return Tempo.of(
        Speed(1.2 * model.first_token, rate / CHARACTERS_PER_TOKEN) for model, rate in zip(MODELS, rates, strict=True)
    )


def streamed(a: Pieces, b: Pieces, lockstep: Lockstep) -> Events:
    """What a reader gets and when; the stream asks for news at every tick, as it does at every piece."""
    coming = sorted([(at, "a", size) for at, size in a] + [(at, "b", size) for at, size in b])
    last = {"a": a[-1][0], "b": b[-1][0]}
    events: Events = []
    for tick in range(10_000):
        now = tick * TICK
        while coming and coming[0][0] <= now:
            at, side, size = coming.pop(0)
            lockstep.write(side, "x" * size)
            if at == last[side]:
                lockstep.finish(side)
        shown = lockstep.release(now)
        if shown:
            events.append((now, len(shown.get("a", "")), len(shown.get("b", ""))))
        if lockstep.done:
            return events
    raise AssertionError("the stream did not end")


class AsItComes(Lockstep):
    """A release without the guard: each side is shown whatever it has."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = {"a": 0, "b": 0}

    def release(self, now: float) -> dict[str, str]:
        news = {name: side.text[self.shown[name] :] for name, side in self.sides.items()}
        self.shown = {name: len(side.text) for name, side in self.sides.items()}
        return {name: text for name, text in news.items() if text}

    @property
    def done(self) -> bool:
        return all(side.whole and self.shown[name] == len(side.text) for name, side in self.sides.items())


def features(events: Events) -> list[float]:
    """What one stream looks like: of both sides together, and of each alone."""
    table = np.array(events)
    found = [*of_times(table[:, 0]), float(len(table))]
    for side in (1, 2):
        mine = table[table[:, side] > 0]
        times, sizes = mine[:, 0], mine[:, side]
        found += of_times(times)
        # The last piece is what the text's length left of a step.
        body = sizes[:-1] if len(sizes) > 1 else sizes
        found += [body.mean(), body.std(), body.min(), body.max(), np.median(body)]
        found += [body.sum() / max(TICK, times[-1] - times[0]), sizes.sum() / times[-1]]
    return [float(each) for each in found]


def of_times(times: np.ndarray) -> list[float]:
    gaps = np.diff(times) if len(times) > 1 else np.zeros(1)
    pauses = gaps[gaps > PAUSE]
    return [times[0], times[-1], gaps.mean(), gaps.std(), np.median(gaps), gaps.max(), len(pauses), pauses.sum()]


@dataclass(frozen=True)
class Recorded:
    features: np.ndarray
    models: np.ndarray


def record(make_lockstep) -> Recorded:
    """Battles of two models drawn at random, and which of them was side A."""
    rng = np.random.default_rng(20261122)
    rows, models = [], []
    for _ in range(BATTLES):
        a, b = rng.choice(len(MODELS), size=2, replace=False)
        lengths = np.clip(rng.lognormal(6.0, 0.5, 2), 60, 1500).astype(int)
        pieces = [written(MODELS[each], int(length), rng) for each, length in zip((a, b), lengths, strict=True)]
        rows.append(features(streamed(*pieces, make_lockstep())))
        models.append(int(a))
    return Recorded(np.array(rows), np.array(models))


def standardised(table: np.ndarray) -> np.ndarray:
    """Each feature on the scale of what the attacker learned from; also its logarithm, since speeds are ratios."""
    both = np.hstack([table, np.log1p(np.maximum(table, 0.0))])
    seen = both[:LEARNED_FROM]
    spread = seen.std(axis=0)
    return (both - seen.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)


def by_centroid(recorded: Recorded) -> float:
    """The share of battles in which the nearest mean names the model."""
    table, models = standardised(recorded.features), recorded.models
    seen, said = table[:LEARNED_FROM], models[:LEARNED_FROM]
    centres = np.stack([seen[said == each].mean(axis=0) for each in range(len(MODELS))])
    spread = np.sqrt(np.mean([seen[said == each].var(axis=0) for each in range(len(MODELS))], axis=0)) + 0.05
    rest = table[LEARNED_FROM:]
    nearest = (((rest[:, None, :] - centres) / spread) ** 2).sum(axis=2).argmin(axis=1)
    return float((nearest == models[LEARNED_FROM:]).mean())


def by_logistic_regression(recorded: Recorded, *, steps: int = 400, rate: float = 0.3, ridge: float = 1e-3) -> float:
    table, models = standardised(recorded.features), recorded.models
    table = np.hstack([np.clip(table, -5, 5), np.ones((len(table), 1))])
    seen, wanted = table[:LEARNED_FROM], np.eye(len(MODELS))[models[:LEARNED_FROM]]
    weights = np.zeros((table.shape[1], len(MODELS)))
    for _ in range(steps):
        odds = np.exp(seen @ weights - (seen @ weights).max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        weights -= rate * (seen.T @ (shares - wanted) / LEARNED_FROM + ridge * weights)
    return float(((table[LEARNED_FROM:] @ weights).argmax(axis=1) == models[LEARNED_FROM:]).mean())


ATTACKERS = [by_centroid, by_logistic_regression]


def worst(recorded: Recorded) -> float:
    return max(attack(recorded) for attack in ATTACKERS)


@pytest.fixture(scope="module")
def guarded() -> Recorded:
    tempo = tempo_of_all()
    return record(lambda: Lockstep(tempo))


@pytest.fixture(scope="module")
def unguarded() -> Recorded:
    return record(AsItComes)


@pytest.mark.parametrize("attack", ATTACKERS)
def test_times_and_sizes_name_a_model_hardly_more_often_than_chance(guarded, attack):
    named = attack(guarded)
    print(f"{attack.__name__}: named {named:.3f} of 500 with lockstep, chance is {CHANCE}")
    assert named <= CHANCE + 0.1


@pytest.mark.parametrize("attack", ATTACKERS)
def test_control_without_lockstep_the_same_attacker_names_most(unguarded, attack):
    named = attack(unguarded)
    print(f"{attack.__name__}: named {named:.3f} of 500 without lockstep")
    assert named >= 0.6


def test_control_at_a_pace_that_the_slow_models_cannot_keep_they_are_known():
    named = worst(record(Lockstep))
    print(f"named {named:.3f} of 500 at the fastest pace for all")
    assert named > CHANCE + 0.1
