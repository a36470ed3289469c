"""What the writing of responses takes, before it begins: completions, tokens, money, time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from inference_workers.policies.prices import CHARACTERS_PER_TOKEN, cost_of


@dataclass(frozen=True)
class Pace:
    """What is known of one language model. `written_tokens` and `seconds` are those of its last completions, on
    average; None where it has none. Prices are in US dollars for a million tokens."""

    model: str
    endpoint: int
    capacity: int
    most_tokens: int
    system_characters: int
    price_read: Decimal | None
    price_written: Decimal | None
    written_tokens: float | None
    seconds: float | None


@dataclass(frozen=True)
class ModelEstimate:
    """`at_most` says that the tokens written are the most there can be, as nothing is known of the model."""

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


def estimate(*, prompts: int, characters: int, seats: int, paces: Sequence[Pace]) -> Estimate:
    """Of `prompts` prompts with so many characters together, each answered by `seats` of the models, drawn evenly."""
    share = seats / len(paces)
    # Drawn evenly, the models differ by one completion at most, and together they write what is asked for.
    each, more = divmod(prompts * seats, len(paces))
    models = [
        _of_model(pace, prompts=prompts, characters=characters, share=share, completions=each + (place < more))
        for place, pace in enumerate(paces)
    ]
    return Estimate(models, _time(paces, {each.model: each.completions for each in models}))


def _of_model(pace: Pace, *, prompts: int, characters: int, share: float, completions: int) -> ModelEstimate:
    read = round((characters + prompts * pace.system_characters) * share / CHARACTERS_PER_TOKEN)
    known = pace.written_tokens is not None
    written = round(completions * (pace.written_tokens if pace.written_tokens is not None else pace.most_tokens))
    cost = cost_of(read, written, pace.price_read, pace.price_written)
    return ModelEstimate(pace.model, completions, read, written, not known, cost)


def _time(paces: Sequence[Pace], completions: Mapping[str, int]) -> timedelta | None:
    """Endpoints work beside each other, and each at as many completions as it takes at once."""
    seconds: dict[int, float] = defaultdict(float)
    for pace in paces:
        if pace.seconds is None:
            return None
        seconds[pace.endpoint] += completions[pace.model] * pace.seconds / pace.capacity
    return timedelta(seconds=round(max(seconds.values(), default=0)))
