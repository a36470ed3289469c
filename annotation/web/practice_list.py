"""A price list to practise on, drawn and read by the mode of its question itself."""

from collections.abc import Mapping
from typing import Any

from annotation.models import Respondent
from annotation.policies.arms import price_direction
from annotation.policies.comprehension import PRICE_LIST
from annotation.queries.sessions import Step
from annotation.questions import Asked, Situation
from annotation.questions.amount.price_list import PriceListMode
from annotation.questions.base import field_name
from annotation.questions.presentation import element_id
from annotation.questions.refusals import Refusal

# On a card it is always A that saves something.
BETTER = "a"
NAME = "row"


def read_list(step: Step, respondent: Respondent, posted: Mapping[str, str]) -> Mapping[str, Any]:
    """The list as an answer stores it. Raises Refused, also once for one that contradicts itself."""
    mode, asked, situation = _terms(step, respondent)
    before = {"preference": BETTER}
    raw = mode.collect(asked, _values(mode, asked, situation, posted), before, situation)
    stored: Mapping[str, Any] = mode.read(asked, raw, before, situation).stored
    return stored


def list_section(
    step: Step, respondent: Respondent, posted: Mapping[str, str] | None, refusal: Refusal | None
) -> dict[str, Any]:
    mode, asked, situation = _terms(step, respondent)
    values = _values(mode, asked, situation, posted or {})
    view = mode.present(asked, values, [refusal] if refusal else [], situation)
    side = next(each for each in view["sides"] if each["side"] == BETTER)
    errors = [refusal.message] if refusal else []
    return {**view, "rows": side["rows"], "errors": errors, "error_id": f"{element_id(NAME)}-error"}


def _terms(step: Step, respondent: Respondent) -> tuple[PriceListMode, Asked, Situation]:
    settings = {"mode": PRICE_LIST, "prices": [f"{price:f}" for price in step.prices]}
    situation = Situation(2, step.session.currency, price_direction=price_direction(respondent.pk))
    return PriceListMode(), Asked(NAME, "amount", settings=settings), situation


def _values(mode: PriceListMode, asked: Asked, situation: Situation, posted: Mapping[str, str]) -> dict[str, str]:
    return {part: posted.get(field_name(NAME, part), "") for part in mode.parts(asked, situation)}
