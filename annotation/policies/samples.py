"""Several samples of each prompt, under several settings, and how they become items."""

from dataclasses import dataclass, field
from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np

from annotation.enums import SampleDesign
from annotation.policies.seating import balanced_seats

MOST_SAMPLES, MOST_SETTINGS = 16, 4
MOST_ITEMS, MOST_COMPLETIONS = 500_000, 1_000_000


@dataclass(frozen=True)
class Settings:
    """What the samples of a model are drawn with; None, or no stop, where its revision decides. With a `seed_base`
    sample number n of every prompt and model has the seed `seed_base` + n."""

    name: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed_base: int | None = None

    @property
    def sampling(self) -> dict[str, Any]:
        """As a completion stores it."""
        given = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
        found: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return found | ({"stop": list(self.stop)} if self.stop else {})

    def as_json(self) -> dict[str, Any]:
        seed = {} if self.seed_base is None else {"seed_base": self.seed_base}
        return {"name": self.name} | self.sampling | seed

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Settings":
        return cls(**{**kept, "stop": tuple(kept.get("stop", ()))})


AS_THEY_ARE = Settings("")


@dataclass(frozen=True)
class Samples:
    """How often each model is asked for each prompt, with which settings, and how that becomes items."""

    samples: int = 1
    settings: tuple[Settings, ...] = ()
    own: bool = False
    design: SampleDesign = SampleDesign.MATCHED

    def plan(self, *, prompts: int, models: int, seats: int) -> "Plan":
        return Plan(prompts, models, seats, self.samples, self.settings, self.own, self.design)


ONE_EACH = Samples()


@dataclass(frozen=True)
class Plan:
    """Of one generation. With `own` each of the settings makes contestants of its own of the models; otherwise a model
    is one contestant whose samples are drawn under all of them."""

    prompts: int
    models: int
    seats: int
    samples: int = 1
    settings: tuple[Settings, ...] = ()
    own: bool = False
    design: SampleDesign = SampleDesign.MATCHED

    @property
    def drawn_with(self) -> tuple[Settings, ...]:
        return self.settings or (AS_THEY_ARE,)

    @property
    def contestants(self) -> int:
        return self.models * (len(self.drawn_with) if self.own else 1)

    @property
    def each(self) -> int:
        """Samples that a contestant gives of a prompt that it answers."""
        return self.samples * (1 if self.own else len(self.drawn_with))

    @property
    def all_answer(self) -> bool:
        return self.design in {SampleDesign.ALL_PAIRS, SampleDesign.WITHIN}

    @property
    def items_per_prompt(self) -> int:
        if self.design == SampleDesign.EVERY:
            return int(self.each**self.seats)
        if self.design == SampleDesign.ALL_PAIRS:
            return comb(self.contestants, self.seats) * self.each
        if self.design == SampleDesign.WITHIN:
            return self.contestants * comb(self.each, self.seats)
        return self.each

    @property
    def items(self) -> int:
        return self.prompts * self.items_per_prompt

    @property
    def completions_per_prompt(self) -> int:
        return (self.contestants if self.all_answer else self.seats) * self.each

    @property
    def completions(self) -> int:
        return self.prompts * self.completions_per_prompt

    def by_contestant(self) -> list[int]:
        """Completions of each contestant. Drawn evenly, they differ by the samples of one prompt at most."""
        if self.all_answer:
            return [self.prompts * self.each] * self.contestants
        share, more = divmod(self.prompts * self.seats, self.contestants)
        return [(share + (place < more)) * self.each for place in range(self.contestants)]

    def settings_of(self, contestant: int, sample: int) -> Settings:
        """Of a contestant's place among all of them, and of one of its samples."""
        place = contestant % len(self.drawn_with) if self.own else sample // self.samples
        return self.drawn_with[place]


@dataclass(frozen=True)
class Seating:
    """A row for each item: its prompt, and who sits in each seat with which sample, in an order that is drawn."""

    prompt: np.ndarray = field(repr=False)
    contestant: np.ndarray = field(repr=False)
    sample: np.ndarray = field(repr=False)


def seat(plan: Plan, rng: np.random.Generator) -> Seating:
    """The same for the same plan and the same randomness."""
    if plan.design == SampleDesign.WITHIN:
        groups = np.array(list(combinations(range(plan.each), plan.seats)), dtype=np.int64)
        one = np.repeat(np.arange(plan.contestants), len(groups))
        contestant = np.tile(np.repeat(one[:, None], plan.seats, axis=1), (plan.prompts, 1))
        sample = np.tile(groups, (plan.prompts * plan.contestants, 1))
        return _shuffled(plan, contestant, sample, rng)
    if plan.design == SampleDesign.ALL_PAIRS:
        met = np.array(list(combinations(range(plan.contestants), plan.seats)), dtype=np.int64)
        rows = np.tile(met, (plan.prompts, 1))
    else:
        rows = balanced_seats(prompts=plan.prompts, contestants=plan.contestants, seats=plan.seats, rng=rng)
        if plan.each == 1:
            return Seating(np.arange(plan.prompts), rows, np.zeros_like(rows))
    if plan.design == SampleDesign.EVERY:
        samples = np.array(list(product(range(plan.each), repeat=plan.seats)), dtype=np.int64)
    else:
        samples = np.repeat(np.arange(plan.each)[:, None], plan.seats, axis=1)
    return _shuffled(plan, np.repeat(rows, len(samples), axis=0), np.tile(samples, (len(rows), 1)), rng)


def _shuffled(plan: Plan, contestant: np.ndarray, sample: np.ndarray, rng: np.random.Generator) -> Seating:
    """Who sits where is drawn for each item, so that nobody always sits first."""
    order = rng.permuted(np.tile(np.arange(plan.seats), (len(contestant), 1)), axis=1)
    return Seating(
        np.repeat(np.arange(plan.prompts), plan.items_per_prompt),
        np.take_along_axis(contestant, order, axis=1),
        np.take_along_axis(sample, order, axis=1),
    )


def refusal_of(plan: Plan) -> str | None:
    """Why nothing can be made of it; None where something can."""
    if not 1 <= plan.samples <= MOST_SAMPLES:
        return f"take 1 to {MOST_SAMPLES} samples of each prompt, not {plan.samples}"
    if len(plan.settings) > MOST_SETTINGS:
        return f"one generation takes at most {MOST_SETTINGS} settings, not {len(plan.settings)}"
    names = [each.name for each in plan.settings]
    if len(set(names)) < len(names):
        return "two settings have one name: give each its own"
    drawn = [each.sampling for each in plan.settings]
    if plan.own and any(drawn.count(each) > 1 for each in drawn):
        return "two settings are the same, so they cannot be contestants of their own"
    if plan.design == SampleDesign.WITHIN and plan.seats == 1:
        return "an item has one response here, so samples do not meet each other"
    if plan.design == SampleDesign.WITHIN and plan.each < plan.seats:
        return f"an item has {plan.seats} responses, so take {plan.seats} samples of each prompt or more"
    if plan.design != SampleDesign.WITHIN and plan.contestants < plan.seats:
        return f"an item has {plan.seats} responses, so choose {plan.seats} language models or more"
    if plan.items > MOST_ITEMS:
        return f"this makes {plan.items:,} items, more than the {MOST_ITEMS:,} of one generation: take fewer samples"
    if plan.completions > MOST_COMPLETIONS:
        return f"this asks for {plan.completions:,} completions, more than the {MOST_COMPLETIONS:,} of one generation"
    return None
