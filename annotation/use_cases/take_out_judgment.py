from datetime import datetime

from annotation.enums import ItemPurpose, JudgmentKind, SlotState
from annotation.models import Adjudication, Item, Judgment, Slot
from annotation.transitions import SLOT
from annotation.use_cases.supersede_judgment import supersede
from foundation.transitions import check


def take_out(judgment: Judgment, now: datetime) -> Slot | None:
    """Take a standing judgment out of every view and ask somebody else in its place, in the caller's transaction.

    Returns the new slot; None where nobody is asked: of checks, repeats, battles, adjudications and imported judgments.
    """
    supersede(judgment, kind=JudgmentKind.RETRACTION, submitted_at=now)
    if not asks_anew(judgment):
        return None
    slot = add_slot(judgment.item)
    # The one it stood in is no judgment that the campaign has.
    held = Slot.objects.filter(assignments=judgment.assignment_id, state=SlotState.DONE)
    check(SLOT, SlotState.DONE, SlotState.CANCELLED)
    held.update(state=SlotState.CANCELLED)
    return slot


def asks_anew(judgment: Judgment) -> bool:
    """Whether it stood in a slot that somebody else can be asked to fill."""
    item = judgment.item
    counted = item.purpose == ItemPurpose.WORK and item.repeat_of_id is None and judgment.assignment_id is not None
    if not counted or Slot.objects.filter(assignments=judgment.assignment_id, for_one=True).exists():
        return False
    return not Adjudication.objects.filter(judgment=judgment).exists()


def add_slot(item: Item, *, state: str = SlotState.OPEN) -> Slot:
    """Under the item's lock: two who ask at once must not make a slot of the same number."""
    Item.objects.select_for_update(of=["self"], no_key=True).get(pk=item.pk)
    last = Slot.objects.filter(item=item).order_by("-number").first()
    number = last.number + 1 if last else 1
    pair = {"pair_low": last.pair_low, "pair_high": last.pair_high} if last else {}
    return Slot.objects.create(item=item, campaign_id=item.campaign_id, number=number, state=state, **pair)
