import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg
import structlog
from django.db import transaction
from django.db.models import QuerySet

from annotation.enums import UploadState
from annotation.errors import AnnotationError
from annotation.imports.problems import Problem
from annotation.models import ItemUpload
from annotation.transitions import UPLOAD
from annotation.use_cases.record_event import record_event
from foundation.database import lone_connection
from foundation.transitions import check

log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=120)
SECONDS_BETWEEN_BEATS = 1.0
MOST_ATTEMPTS = 3
BEAT = """
    UPDATE annotation_itemupload SET lease_expires_at = now() + %s, progress = %s
    WHERE id = %s AND state = 'writing' AND lease_token = %s
"""


class LeaseLost(AnnotationError):
    """Another worker has taken this upload over; what this one wrote is rolled back."""


class Heart:
    """Renews the lease and says how far the import is, on a connection of its own: the other one is in the middle of
    the transaction that writes, whose changes nobody sees.
    """

    def __init__(self, upload_id: int, token: UUID) -> None:
        self._upload_id = upload_id
        self._token = token
        self._last = -SECONDS_BETWEEN_BEATS
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._connection = self._stack.enter_context(lone_connection())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def beat(self, progress: float) -> None:
        """Raises LeaseLost where somebody else reads the file by now."""
        if time.monotonic() - self._last < SECONDS_BETWEEN_BEATS:
            return
        self._last = time.monotonic()
        try:
            done = self._connection.execute(BEAT, [LEASE, progress, self._upload_id, self._token])
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            # Somebody holds the row for a moment; the lease is long enough for the next beat.
            return
        if not done.rowcount:
            raise LeaseLost(f"upload {self._upload_id} is somebody else's by now")


def held_upload(upload_id: int, token: UUID) -> QuerySet[ItemUpload]:
    return ItemUpload.objects.filter(pk=upload_id, state=UploadState.WRITING, lease_token=token)


def end_upload(upload_id: int, token: UUID, problems: Sequence[Problem], *, now: datetime, final: bool = False) -> None:
    """Wait for another attempt, or for other columns after the last or a `final` one."""
    with transaction.atomic():
        row = held_upload(upload_id, token).select_for_update(of=["self"]).first()
        if row is None:
            return
        after = UploadState.FAILED if final or row.attempt >= MOST_ATTEMPTS else UploadState.QUEUED
        check(UPLOAD, row.state, after)
        before, row.state = row.state, after
        row.problems = [{"line": problem.line, "text": problem.text} for problem in problems]
        row.lease_token, row.lease_expires_at, row.progress = None, None, 0.0
        row.finished_at = now if after == UploadState.FAILED else None
        row.save()
        reason = problems[0].text if problems else ""
        record_event(subject=row, verb="attempt_ended", actor=None, from_state=before, to_state=after, reason=reason)
