from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from annotation.enums import ItemPurpose, ItemState, TurnKind
from annotation.models import Campaign, FollowUp, Item, Response, Source, Turn
from annotation.use_cases.open_slots import open_slots


def copy_item(
    original: Item, *, campaign_id: int, source_id: int, repeat_of: Item | None = None, test_of: int | None = None
) -> Item:
    """An open item that shows what `original` shows, in the caller's transaction.

    Texts are copied: a completion belongs to the turn it was made for.
    """
    copy = Item.objects.create(
        campaign_id=campaign_id,
        source_id=source_id,
        prompt_id=original.prompt_id,
        prompt_key=original.prompt_key,
        category=original.category,
        flags=original.flags,
        language=original.language,
        state=ItemState.OPEN,
        purpose=original.purpose,
        expected=original.expected,
        explanation=original.explanation,
        warnings=original.warnings,
        test_of_id=test_of,
        repeat_of=repeat_of,
    )
    FollowUp.objects.bulk_create(
        FollowUp(item=copy, number=said.number, messages=said.messages, personal_text_id=said.personal_text_id)
        for said in original.follow_ups.all()
    )
    for response in original.responses.prefetch_related("turns__completion"):
        made = Response.objects.create(item=copy, position=response.position, contestant_id=response.contestant_id)
        Turn.objects.bulk_create(_copy(turn, made) for turn in response.turns.all())
    return copy


def copy_items(*, items: Iterable[Item], to: Campaign, source: Source, now: datetime) -> int:
    """Copies of these items in another campaign, work with as many open slots as it wants. Returns how many."""
    count = 0
    with transaction.atomic():
        for item in items:
            copy = copy_item(item, campaign_id=to.pk, source_id=source.pk)
            if copy.purpose == ItemPurpose.WORK:
                open_slots(items=[copy.pk], count=to.overlap)
            count += 1
    return count


def _copy(turn: Turn, response: Response) -> Turn:
    copy = Turn(response=response, number=turn.number, kind=turn.kind, text=turn.text, file=turn.file)
    copy.personal_text_id = turn.personal_text_id
    if turn.kind == TurnKind.COMPLETION:
        personal = turn.job.personal_text_id
        copy.kind, copy.personal_text_id = TurnKind.TEXT, personal
        copy.text = None if personal else turn.job.text or ""
    return copy
