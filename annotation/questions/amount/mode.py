"""What one way of asking for money is, and what all of them share: zero explained, the unusual asked back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.amount.typed_decimal import amount_text, parse_amount
from annotation.questions.base import Answer, Asked, Random, Situation, Text, field_name
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import Refusal, Refused

OTHER_SIDE = {"a": "b", "b": "a"}
# More than this many times what somebody usually types is more often a slip than an opinion.
UNUSUAL = 10
# Of simulated people who may leave the question out, this share answers it.
ANSWERS = 0.85


class Mode(ABC):
    """One way to ask: its inputs, its judgment, its part of the page. The methods are those of QuestionType."""

    slug: ClassVar[str]
    # What the editor calls it.
    label: ClassVar[Text]
    title: ClassVar[Text] = gettext_lazy("What is the better one worth to you?")
    incentives: ClassVar[tuple[str, ...]] = ("stated",)
    # Columns of the type that only some modes fill, this one among them.
    exported: ClassVar[frozenset[str]]
    # How many responses are shown; None is any number.
    responses: ClassVar[int | None] = 2
    # Asked of those who chose one of two; else it stands by itself.
    after_preference: ClassVar[bool] = True

    def misfit(self, situation: Situation) -> str:
        """Why it cannot be asked here; empty where it can."""
        if self.responses is not None and situation.responses != self.responses:
            return f"compares {self.responses} responses, not {situation.responses}"
        return ""

    @abstractmethod
    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]: ...

    @abstractmethod
    def collect(
        self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation
    ) -> Any: ...

    @abstractmethod
    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer: ...

    @abstractmethod
    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]: ...

    @abstractmethod
    def simulate(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any: ...


def terms(asked: Asked, situation: Situation) -> dict[str, Any]:
    """What is stored with every amount, so that no two kinds are ever pooled."""
    return {
        "currency": situation.currency,
        "mode": asked.settings["mode"],
        "incentive": asked.settings["incentive"],
    }


def unit_columns(asked: Asked, situation: Situation) -> dict[str, Any]:
    return {
        "currency": situation.currency,
        "amount_mode": asked.settings["mode"],
        "incentive": asked.settings["incentive"],
    }


def is_protest(amount: Decimal, zero: Any, means: Sequence[tuple[str, Text]], unexplained: str, part: str) -> bool:
    """Whether a zero refuses to name a price. `zero` is what the person says that zero means."""
    if amount:
        if zero is not None:
            raise Refused("zero_not_asked", _("What zero means is asked only after an amount of zero."))
        return False
    if zero is None:
        raise Refused("zero_unexplained", unexplained, part=part)
    if not isinstance(zero, str) or zero not in {value for value, _label in means}:
        raise Refused("unknown_choice", _("That is none of the choices."), part=part)
    return zero == "refuse"


def is_confirmed(amount: Decimal, keep: Any, situation: Situation, part: str) -> bool:
    """Whether an unusual amount was confirmed, by naming it again; a usual one needs no word."""
    usual = situation.own_median_amount
    if not usual or amount <= UNUSUAL * usual:
        return False
    try:
        kept = None if keep is None else parse_amount(keep)
    except Refused:
        kept = None
    if kept != amount:
        raise Refused(
            "unusual",
            _("You typed %(amount)s %(currency)s, more than ten times your usual amount. Keep?")
            % {"amount": amount_text(amount), "currency": situation.currency},
            part=part,
            confirm=amount_text(amount),
        )
    return True


def zero_choice(
    asked: Asked, part: str, means: Sequence[tuple[str, Text]], values: Mapping[str, str], refused: bool
) -> Choice:
    return Choice(
        field_name(asked.name, part),
        _("What does zero mean here?"),
        [Option(value, label, "", values[part] == value) for value, label in means],
        required=True,
        refused=refused,
        layout="list",
    )


def keep_box(asked: Asked, part: str, posted: str, refusal: Refusal | None) -> dict[str, Any] | None:
    """The box that confirms an unusual amount: offered when that was refused, kept when something else was."""
    name = field_name(asked.name, part)
    try:
        value = refusal.confirm if refusal else amount_text(parse_amount(posted))
    except Refused:
        return None
    return {"name": name, "id": element_id(name), "value": value, "checked": not refusal, "refused": bool(refusal)}
