from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotation.models import Campaign, Instrument, Question
from annotation.questions import Asked, Condition, InvalidSettings, check_settings, instrument_digest
from annotation.use_cases.record_event import record_event


def publish_instrument(*, campaign_id: int, questions: Sequence[dict[str, Any]], now: datetime) -> Instrument:
    """Freeze an ordered list of questions as the campaign's next instrument; judgments from now on carry it.

    Each question is a dict of name, type, and optionally title, required, settings, ask_probability and condition
    ({"question": an earlier one, "values": marks of its answers}). The same list again makes no new number.
    Raises UnknownQuestionType or InvalidSettings before anything is written.
    """
    asked = [
        Asked(
            name=question["name"],
            type=question["type"],
            title=question.get("title", ""),
            required=question.get("required", True),
            settings=check_settings(question["type"], question.get("settings", {})),
            condition=_condition(question),
        )
        for question in questions
    ]
    shares = [float(question.get("ask_probability", 1.0)) for question in questions]
    digest = instrument_digest(asked)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=["self"]).select_related("instrument").get(pk=campaign_id)
        current = campaign.instrument
        if current is not None and _same(current, digest, shares):
            return current
        last = campaign.instruments.aggregate(last=Max("number"))["last"] or 0
        instrument = Instrument.objects.create(campaign=campaign, number=last + 1, digest=digest)
        Question.objects.bulk_create(
            Question(
                instrument=instrument,
                position=position,
                name=each.name,
                type=each.type,
                title=each.title,
                required=each.required,
                settings=each.settings,
                condition=None if each.condition is None else asdict(each.condition),
                ask_probability=share,
            )
            for position, (each, share) in enumerate(zip(asked, shares, strict=True))
        )
        campaign.instrument = instrument
        campaign.save(update_fields=["instrument"])
        record_event(
            subject=campaign,
            verb="instrument_published",
            actor=None,
            data={"number": instrument.number, "sha256": digest},
        )
    return instrument


def _condition(question: dict[str, Any]) -> Condition | None:
    given = question.get("condition")
    if given is None:
        return None
    if isinstance(given, dict) and set(given) == {"question", "values"}:
        name, values = given["question"], given["values"]
        if isinstance(name, str) and isinstance(values, list) and all(isinstance(value, str) for value in values):
            return Condition(name, tuple(values))
    raise InvalidSettings(f"{question['name']}: a condition is an object of question and values, not {given!r:.60}")


def _same(current: Instrument, digest: str, shares: list[float]) -> bool:
    return current.digest == digest and [q.ask_probability for q in current.questions.all()] == shares
