from datetime import datetime

from django.db import transaction

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.models import ItemComment
from annotation.use_cases.record_event import record_event


def comment_item(*, item_id: int, words: str, actor: Person, now: datetime) -> ItemComment:
    """Keep what somebody who runs or reviews a campaign says about an item, sealed under their own key."""
    with transaction.atomic():
        text = write_personal_text(person=actor, text=words)
        comment = ItemComment.objects.create(item_id=item_id, person=actor, personal_text=text)
        record_event(subject=comment.item, verb="commented", actor=actor, data={"comment": comment.pk})
    return comment
