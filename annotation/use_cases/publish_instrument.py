from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import Person
from annotation.models import Campaign, Instrument, Question
from annotation.policies.drafts import all_as_asked
from annotation.questions import instrument_digest
from annotation.use_cases.record_event import record_event


def publish_instrument(
    *, campaign_id: int, questions: Sequence[dict[str, Any]], now: datetime, actor: Person | None = None
) -> Instrument:
    """Freeze an ordered list of questions as the campaign's next instrument; judgments from now on carry it.

    Each question is a dict of name, type, and optionally title, required, settings, ask_probability and condition
    ({"question": an earlier one, "values": marks of its answers}). The same list again makes no new number.
    Raises UnknownQuestionType or InvalidSettings before anything is written.
    """
    asked = all_as_asked(questions)
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
            actor=actor,
            data={"number": instrument.number, "sha256": digest},
        )
    return instrument


def _same(current: Instrument, digest: str, shares: list[float]) -> bool:
    return current.digest == digest and [q.ask_probability for q in current.questions.all()] == shares
