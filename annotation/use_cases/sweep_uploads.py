import time
from datetime import datetime

import structlog

from annotation.enums import UploadState
from annotation.imports.problems import Problem
from annotation.imports.uploads import uploads_root
from annotation.models import ItemUpload
from annotation.use_cases.request_import import hint_import
from annotation.use_cases.upload_lease import end_upload
from foundation.leases import lease_expired

log = structlog.get_logger(__name__)
# Until then somebody may still be sending it.
SECONDS_UNCLAIMED = 86_400


def sweep_uploads(*, now: datetime) -> list[int]:
    """Queue again what a dead worker held, park what died too often, and hint at all that waits; their ids.

    Files that no upload waits for any more are removed after a day.
    """
    abandoned = ItemUpload.objects.filter(lease_expired("lease_expires_at"), state=UploadState.WRITING)
    for upload in abandoned:
        if upload.lease_token is not None:
            log.warning("import_died", upload=upload.pk, attempt=upload.attempt)
            end_upload(upload.pk, upload.lease_token, [Problem(0, "the worker died while reading")], now=now)
    waiting = list(ItemUpload.objects.filter(state=UploadState.QUEUED).order_by("pk").values_list("pk", flat=True))
    for upload_id in waiting:
        hint_import(upload_id)
    _remove_unclaimed()
    return waiting


def _remove_unclaimed() -> None:
    root = uploads_root()
    old = [
        path
        for path in (root.iterdir() if root.is_dir() else ())
        if time.time() - path.stat().st_mtime > SECONDS_UNCLAIMED
    ]
    if not old:
        return
    wanted = ItemUpload.objects.exclude(state=UploadState.DONE).filter(stored__in=[path.name for path in old])
    kept = set(wanted.values_list("stored", flat=True))
    for path in old:
        if path.name not in kept:
            path.unlink(missing_ok=True)
