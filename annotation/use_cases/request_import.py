from datetime import datetime

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.enums import UploadState
from annotation.models import ItemUpload
from annotation.policies.drafts import refuse_if_closed
from annotation.transitions import UPLOAD
from annotation.use_cases.map_upload import BadMapping
from annotation.use_cases.record_event import record_event
from foundation.transitions import check

log = structlog.get_logger(__name__)
IMPORT = "annotation.import_items"
# The sweeper hints again as often.
HINT_SECONDS = 10


def request_import(*, upload_id: int, actor: User, now: datetime) -> ItemUpload:
    """Put a mapped upload in the queue; a worker reads it. Raises BadMapping, CampaignIsClosed, ForbiddenTransition."""
    with transaction.atomic():
        upload = ItemUpload.objects.select_for_update(of=["self"]).select_related("campaign").get(pk=upload_id)
        refuse_if_closed(upload.campaign)
        check(UPLOAD, upload.state, UploadState.QUEUED)
        if not upload.mapping:
            raise BadMapping(["nobody has said yet what the columns mean"])
        before, upload.state = upload.state, UploadState.QUEUED
        upload.attempt, upload.progress, upload.problems, upload.finished_at = 0, 0.0, [], None
        upload.save()
        person = person_of_user(user=actor, now=now)
        record_event(subject=upload, verb="requested", actor=person, from_state=before, to_state=upload.state)
        transaction.on_commit(lambda: hint_import(upload.pk), robust=True)
    return upload


def hint_import(upload_id: int) -> None:
    """Tell a worker that there is something to read. Only a hint: the sweeper finds what nobody was told of."""
    try:
        current_app.signature(IMPORT, args=[upload_id]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("import_hint_not_sent", upload=upload_id, reason=str(error))
