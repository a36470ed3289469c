"""What simulated people think: a worth for each response they are shown, of known size and noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.models import Assignment, Impression, Respondent
from annotation.policies.arms import price_direction
from annotation.queries import instrument_questions, own_median_amount, texts_if_read
from annotation.queries.sessions import money_of
from annotation.questions import Asked, Situation

# Scales in logits: how far contestants lie apart, what a prompt adds to each, what a person adds at each showing.
CONTESTANTS, PROMPTS, PEOPLE = 0.6, 0.6, 0.8
# A right answer to a check stands out by so much, to the share of people who pay attention.
CHECK, ATTENTIVE = 4.0, 0.9


@dataclass(frozen=True)
class Truth:
    """What is planted: each contestant's worth in logits."""

    of_contestants: Mapping[int, float]
    seed: int

    @classmethod
    def drawn(cls, contestants: Sequence[int], seed: int) -> "Truth":
        """Normal with spread CONTESTANTS, by ascending id from the seed."""
        rng = np.random.Generator(np.random.PCG64(seed))
        ids = sorted(contestants)
        return cls(dict(zip(ids, (CONTESTANTS * rng.standard_normal(len(ids))).tolist(), strict=True)), seed)

    def utilities(
        self, assignment: Assignment, shown: Impression, contestants: Sequence[int | None], rng: np.random.Generator
    ) -> list[float]:
        """What each response is worth to this person now, in the order shown. A prompt's part is the same for all."""
        of_prompt = np.random.Generator(np.random.PCG64([self.seed, assignment.item_id])).standard_normal(
            len(contestants)
        )
        right = _expected_position(assignment) if rng.random() < ATTENTIVE else None
        worth = []
        for position in shown.order:
            contestant = contestants[position]
            own = self.of_contestants.get(contestant, 0.0) if contestant is not None else 0.0
            check = CHECK * (1 if position == right else -1) if right is not None else 0.0
            worth.append(own + PROMPTS * float(of_prompt[position]) + PEOPLE * float(rng.standard_normal()) + check)
        return worth


def _expected_position(assignment: Assignment) -> int | None:
    """The response that a check expects to be chosen, where it expects one."""
    for expectation in assignment.item.expected or []:
        if "best" in expectation:
            return int(expectation["best"])
        for value in expectation["values"]:
            if len(value) == 1 and value.isalpha():
                return ord(value) - ord("a")
    return None


def situation_of(respondent: Respondent, shown: Impression, currency: str) -> tuple[list[Asked], Situation]:
    """What somebody is asked about what they were shown, as the form would say it."""
    asked = [each for each in instrument_questions(shown.instrument_id) if each.name in shown.questions_asked]
    return asked, Situation(
        responses=len(shown.order),
        currency=currency,
        own_median_amount=own_median_amount(respondent.pk),
        texts=texts_if_read(asked, shown.item_id, shown.order),
        price_direction=price_direction(respondent.pk),
        **money_of(respondent.pk),
    )
