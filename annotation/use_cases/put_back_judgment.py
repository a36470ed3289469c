from datetime import datetime

from accounts.models import Person
from annotation.enums import JudgmentKind, RespondentState, SlotState
from annotation.models import Event, Item, Judgment, JudgmentText, Respondent, Slot
from annotation.transitions import SLOT
from annotation.use_cases.record_event import record_event
from annotation.use_cases.supersede_judgment import supersede
from annotation.use_cases.take_out_judgment import asks_anew
from foundation.transitions import check

# What says how a row came to be, and not what was answered.
NOT_ANSWERED = {"id", "kind", "supersedes", "created_at", "transaction"}


def put_back(judgment: Judgment, *, actor: Person | None, now: datetime) -> Judgment | None:
    """Write the answer of a judgment that was taken out anew over its retraction, in the caller's transaction.

    Only while nobody has claimed the slot that was opened in its place, which is cancelled: a quota is met exactly.
    None where somebody has, or where its annotator has withdrawn; then the answer stays out, whatever is decided about
    its pay.
    """
    if Respondent.objects.get(pk=judgment.respondent_id).state == RespondentState.WITHDRAWN:
        return None
    retraction = Judgment.objects.filter(supersedes=judgment, kind=JudgmentKind.RETRACTION).first()
    if retraction is None or Judgment.objects.filter(supersedes=retraction).exists():
        return None
    if asks_anew(judgment) and not _take_slot_back(judgment):
        return None
    fields = [field for field in Judgment._meta.concrete_fields if field.name not in NOT_ANSWERED]
    answer = {field.attname: getattr(judgment, field.attname) for field in fields}
    restored = supersede(retraction, **answer, kind=JudgmentKind.ANSWER)
    JudgmentText.objects.bulk_create(
        JudgmentText(judgment=restored, question=text.question, personal_text_id=text.personal_text_id)
        for text in judgment.texts.all()
    )
    data = {"judgment": judgment.pk, "restored": restored.pk}
    record_event(subject=judgment, verb="put_back", actor=actor, data=data)
    return restored


def _take_slot_back(judgment: Judgment) -> bool:
    """Cancel the slot that was opened for it while it is open, and fill the old one again."""
    asked = (
        Event.objects.filter(
            subject=Item._meta.label_lower,
            subject_id=str(judgment.item_id),
            verb="slot_added",
            data__judgment=judgment.pk,
        )
        .order_by("-pk")
        .first()
    )
    if asked is None:
        return False
    slots = Slot.objects.select_for_update(of=["self"])
    opened = slots.filter(item=judgment.item_id, number=asked.data["slot"], state=SlotState.OPEN).first()
    if opened is None:
        return False
    check(SLOT, opened.state, SlotState.CANCELLED)
    opened.state = SlotState.CANCELLED
    opened.save(update_fields=["state"])
    own = slots.get(assignments=judgment.assignment_id)
    check(SLOT, own.state, SlotState.DONE)
    own.state = SlotState.DONE
    own.save(update_fields=["state"])
    return True
