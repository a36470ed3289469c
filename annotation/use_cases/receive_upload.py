from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.imports.item_spool import peek_columns
from annotation.imports.uploads import StoredFile, file_name, store_file
from annotation.models import Campaign, ItemUpload
from annotation.policies.drafts import refuse_if_closed
from annotation.use_cases.record_event import record_event
from foundation.idempotency import body_hash, once


def receive_upload(
    *, campaign_id: int, name: str, content: Iterable[bytes], key: str, actor: User, now: datetime
) -> ItemUpload:
    """Keep a file of items until somebody has said what its columns mean. The same key and file again is the same one.

    The file is written piece by piece. Raises UploadTooLarge, BrokenFile where it can be read by no mapping at all,
    CampaignIsClosed, and what `once` raises; then nothing is kept.
    """
    stored = store_file(name, content)
    kept = False
    try:
        peek_columns(stored.path)
        with transaction.atomic():
            scope = f"item-upload:{campaign_id}"
            digest = body_hash({"name": file_name(name), "sha256": stored.sha256})
            with once(key=key, scope=scope, body_hash=digest, now=now) as attempt:
                if attempt.replayed:
                    return ItemUpload.objects.get(pk=attempt.response["upload"])
                upload = _create(campaign_id, file_name(name), stored, actor, now)
                attempt.response = {"upload": upload.pk}
        kept = True
    finally:
        if not kept:
            stored.path.unlink(missing_ok=True)
    return upload


def _create(campaign_id: int, name: str, stored: StoredFile, actor: User, now: datetime) -> ItemUpload:
    campaign = Campaign.objects.get(pk=campaign_id)
    refuse_if_closed(campaign)
    upload = ItemUpload.objects.create(
        campaign=campaign,
        name=name,
        stored=stored.path.name,
        sha256=stored.sha256,
        size=stored.size,
        created_by=actor,
    )
    person = person_of_user(user=actor, now=now)
    data = {"name": name, "sha256": stored.sha256, "size": stored.size}
    record_event(subject=upload, verb="uploaded", actor=person, to_state=upload.state, data=data)
    return upload
