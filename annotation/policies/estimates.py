"""What the writing of responses takes, before it begins: completions, tokens, money, time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from inference_workers.policies.prices import CHARACTERS_PER_TOKEN, Prices, Usage, cost_of


@dataclass(frozen=True)
class Pace:
    """What is known of one language model. `written_tokens`, `seconds` and what its files played are those of its last
    completions, on average; None where it has none."""

    model: str
    endpoint: int
    capacity: int
    most_tokens: int
    system_characters: int
    prices: Prices
    written_tokens: float | None
    seconds: float | None
    played_seconds: float | None = None

    @property
    def is_new(self) -> bool:
        """Whether what it writes is known by its limit alone."""
        if self.prices.of_files:
            return self.prices.second is not None and self.played_seconds is None
        return self.written_tokens is None


@dataclass(frozen=True)
class Wanted:
    """Completions of one language model under one of the settings; without `most_tokens` the revision's limit."""

    pace: Pace
    completions: int
    settings: str = ""
    most_tokens: int | None = None


@dataclass(frozen=True)
class ModelEstimate:
    """`at_most` says that the tokens written, or the seconds played, are the most there can be, as nothing is known of
    the model."""

    model: str
    completions: int
    read_tokens: int
    written_tokens: int
    at_most: bool
    cost: Decimal | None


@dataclass(frozen=True)
class Estimate:
    models: list[ModelEstimate]
    # None where some model has completed nothing yet.
    time: timedelta | None

    @property
    def completions(self) -> int:
        return sum(each.completions for each in self.models)

    @property
    def tokens(self) -> int:
        return sum(each.read_tokens + each.written_tokens for each in self.models)

    @property
    def at_most(self) -> bool:
        return any(each.at_most for each in self.models)

    @property
    def cost(self) -> Decimal | None:
        """Of the models whose prices are known; None where none is."""
        known = [each.cost for each in self.models if each.cost is not None]
        return sum(known, Decimal()) if known else None

    @property
    def unpriced(self) -> list[str]:
        return [each.model for each in self.models if each.cost is None]


def estimate(*, prompts: int, characters: int, wanted: Sequence[Wanted]) -> Estimate:
    """Of `prompts` prompts with so many characters together, from whoever is asked for completions of them."""
    models = [_of_model(each, characters / prompts) for each in wanted]
    return Estimate(models, _time(wanted))


def _of_model(wanted: Wanted, characters: float) -> ModelEstimate:
    pace, completions = wanted.pace, wanted.completions
    read = round((characters + pace.system_characters) * completions / CHARACTERS_PER_TOKEN)
    most = wanted.most_tokens or pace.most_tokens
    written = round(completions * (most if pace.written_tokens is None else min(pace.written_tokens, most)))
    usage = Usage(read, written)
    if pace.prices.of_files:
        usage = Usage(read, 0, files=completions, seconds=pace.played_seconds)
    name = f"{pace.model} ({wanted.settings})" if wanted.settings else pace.model
    return ModelEstimate(name, completions, read, usage.written, pace.is_new, cost_of(usage, pace.prices))


def _time(wanted: Sequence[Wanted]) -> timedelta | None:
    """Endpoints work beside each other, and each at as many completions as it takes at once."""
    seconds: dict[int, float] = defaultdict(float)
    for each in wanted:
        if each.pace.seconds is None:
            return None
        seconds[each.pace.endpoint] += each.completions * each.pace.seconds / each.pace.capacity
    return timedelta(seconds=round(max(seconds.values(), default=0)))
