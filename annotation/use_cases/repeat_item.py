from datetime import datetime

from django.db import transaction

from annotation.enums import ItemState, TurnKind
from annotation.models import FollowUp, Item, Response, Turn


def repeat_item(*, item_id: int, now: datetime) -> Item:
    """The item that shows `item_id` once more; made on its first use, the same one for everybody.

    Its texts are copies: a completion belongs to the turn it was made for.
    """
    with transaction.atomic():
        original = Item.objects.select_for_update().get(pk=item_id)
        found = Item.objects.filter(repeat_of=original).first()
        if found is not None:
            return found
        repeat = Item.objects.create(
            campaign_id=original.campaign_id,
            source_id=original.source_id,
            prompt_id=original.prompt_id,
            prompt_key=original.prompt_key,
            category=original.category,
            flags=original.flags,
            language=original.language,
            state=ItemState.OPEN,
            repeat_of=original,
        )
        FollowUp.objects.bulk_create(
            FollowUp(item=repeat, number=said.number, messages=said.messages, personal_text_id=said.personal_text_id)
            for said in original.follow_ups.all()
        )
        for response in original.responses.prefetch_related("turns__completion"):
            copy = Response.objects.create(
                item=repeat, position=response.position, contestant_id=response.contestant_id
            )
            Turn.objects.bulk_create(_copy(turn, copy) for turn in response.turns.all())
    return repeat


def _copy(turn: Turn, response: Response) -> Turn:
    copy = Turn(response=response, number=turn.number, kind=turn.kind, text=turn.text, file=turn.file)
    copy.personal_text_id = turn.personal_text_id
    if turn.kind == TurnKind.COMPLETION:
        personal = turn.job.personal_text_id
        copy.kind, copy.personal_text_id = TurnKind.TEXT, personal
        copy.text = None if personal else turn.job.text or ""
    return copy
