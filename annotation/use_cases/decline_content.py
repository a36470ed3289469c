from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from annotation.errors import AnnotationError
from annotation.models import Respondent
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_work import settle_test

# What this person holds of content that they now decline goes back; they may meet it again if they change their mind.
GIVE_BACK = """
WITH given AS (
    UPDATE annotation_assignment a SET state = 'expired', ended_at = now() FROM annotation_item i
    WHERE i.id = a.item_id AND a.respondent_id = %(respondent)s AND a.state = 'open'
        AND i.warnings && %(declined)s::varchar[]
    RETURNING a.id, a.slot_id
), reopened AS (
    UPDATE annotation_slot s SET state = 'open' FROM given g WHERE s.id = g.slot_id AND s.state = 'claimed'
), ended AS (
    INSERT INTO annotation_impressionevent (impression_id, kind)
    SELECT m.id, 'skipped' FROM annotation_impression m JOIN given g ON m.assignment_id = g.id
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM given
"""


class UnknownContent(AnnotationError):
    """No such category of content in this campaign; nothing was changed."""


def decline_content(*, respondent_id: int, declined: Sequence[str], now: datetime) -> Respondent:
    """From now on the respondent is given nothing of these categories, and everything of the others.

    No reason is asked and nothing follows from it: a test or a check of declined content is not asked of them.
    """
    with transaction.atomic():
        # Whoever claims for this person holds the same row, so that nothing is given while they say so.
        respondent = (
            Respondent.objects.select_for_update(of=["self"]).select_related("campaign", "person").get(pk=respondent_id)
        )
        before, after = respondent.declined_content, sorted(set(declined))
        strange = [name for name in after if name not in respondent.campaign.warned_content and name not in before]
        if strange:
            raise UnknownContent(f"{strange[0]!r} is no category of campaign {respondent.campaign.slug}")
        if after == sorted(before):
            return respondent
        respondent.declined_content = after
        respondent.save(update_fields=["declined_content"])
        with connection.cursor() as cursor:
            cursor.execute(GIVE_BACK, {"respondent": respondent.pk, "declined": after})
            given_back = cursor.fetchone()[0]
        data = {"before": before, "after": after, "given_back": given_back}
        record_event(subject=respondent, verb="content_declined", actor=respondent.person, data=data)
        settle_test(respondent.campaign, respondent)
    return respondent
