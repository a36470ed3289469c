import time
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from annotation.datasets.building import Built, build_files
from annotation.datasets.folders import move_into_place, remove_unfinished, unfinished_folder, version_folder
from annotation.enums import DatasetState
from annotation.errors import AnnotationError
from annotation.models import DatasetVersion
from annotation.transitions import DATASET
from annotation.use_cases.record_event import record_event
from annotation.use_cases.request_dataset import hint_build
from foundation.leases import lease_expired, lease_until, new_token
from foundation.transitions import check

log = structlog.get_logger(__name__)
# Longer than the standings of a large log take, during which there is no beat.
LEASE = timedelta(seconds=120)
SECONDS_BETWEEN_BEATS = 5.0
MOST_ATTEMPTS = 3


class LeaseLost(AnnotationError):
    """Another worker has taken this build over; what this one wrote is thrown away."""


def build_dataset(*, version_id: int, now: datetime) -> DatasetVersion | None:
    """Build a queued version, if nobody else does; None where there is nothing to do or the lease was lost.

    Files appear under the version's folder all at once. An error is kept with the version, which is tried again until
    its third attempt failed.
    """
    token = new_token()
    if not _claim(version_id, token):
        return None
    version = DatasetVersion.objects.select_related("campaign").get(pk=version_id)
    remove_unfinished(version)
    folder = unfinished_folder(version, token)
    folder.mkdir(parents=True)
    try:
        built = build_files(version, folder, Heart(version_id, token).beat)
        _finish(version, token, folder, built, now)
    except LeaseLost:
        rmtree(folder, ignore_errors=True)
        return None
    except Exception as error:
        rmtree(folder, ignore_errors=True)
        _end_attempt(version_id, token, f"{type(error).__name__}: {error}"[:2000], now)
        raise
    version.refresh_from_db()
    return version


def sweep_datasets(*, now: datetime) -> list[int]:
    """Queue again what a dead worker held, park what died too often, and hint at all that waits; their ids."""
    abandoned = DatasetVersion.objects.filter(lease_expired("lease_expires_at"), state=DatasetState.BUILDING)
    for version_id in abandoned.values_list("pk", flat=True):
        _take_back(version_id, now)
    waiting = list(DatasetVersion.objects.filter(state=DatasetState.QUEUED).order_by("pk").values_list("pk", flat=True))
    for version_id in waiting:
        hint_build(version_id)
    return waiting


class Heart:
    """Renews the lease every few seconds, and says how far the build is."""

    def __init__(self, version_id: int, token: UUID) -> None:
        self._version_id = version_id
        self._token = token
        self._last = -SECONDS_BETWEEN_BEATS

    def beat(self, view: str, rows: int) -> None:
        """Raises LeaseLost where somebody else builds by now."""
        if time.monotonic() - self._last < SECONDS_BETWEEN_BEATS:
            return
        self._last = time.monotonic()
        held = _held(self._version_id, self._token)
        if not held.update(lease_expires_at=lease_until(LEASE), counts={"view": view, "rows": rows}):
            raise LeaseLost(f"dataset version {self._version_id} is somebody else's by now")


def _claim(version_id: int, token: UUID) -> bool:
    check(DATASET, DatasetState.QUEUED, DatasetState.BUILDING)
    claimed = DatasetVersion.objects.filter(pk=version_id, state=DatasetState.QUEUED, attempt__lt=MOST_ATTEMPTS).update(
        state=DatasetState.BUILDING,
        lease_token=token,
        lease_expires_at=lease_until(LEASE),
        attempt=F("attempt") + 1,
    )
    return claimed == 1


def _held(version_id: int, token: UUID) -> Any:
    return DatasetVersion.objects.filter(pk=version_id, state=DatasetState.BUILDING, lease_token=token)


def _finish(version: DatasetVersion, token: UUID, folder: Path, built: Built, now: datetime) -> None:
    """The files first, then the row, under its lock: a row that says ready always has its files."""
    with transaction.atomic():
        row = _held(version.pk, token).select_for_update().first()
        if row is None:
            raise LeaseLost(f"dataset version {version.pk} is somebody else's by now")
        check(DATASET, row.state, DatasetState.READY)
        move_into_place(folder, version_folder(version))
        row.state, row.finished_at = DatasetState.READY, now
        row.lease_token, row.lease_expires_at, row.error_message = None, None, ""
        row.files = [file.to_json() for file in built.files]
        row.counts, row.rows_digest = built.counts, built.rows_digest
        row.save()
        record_event(
            subject=row,
            verb="built",
            actor=None,
            from_state=DatasetState.BUILDING,
            to_state=row.state,
            data={"sha256": built.rows_digest},
        )


def _take_back(version_id: int, now: datetime) -> None:
    version = DatasetVersion.objects.select_related("campaign").get(pk=version_id)
    if version.lease_token is not None and version.state == DatasetState.BUILDING:
        log.warning("dataset_build_died", version=version_id, attempt=version.attempt)
        _end_attempt(version_id, version.lease_token, version.error_message or "the worker died while building", now)


def _end_attempt(version_id: int, token: UUID, message: str, now: datetime) -> None:
    """Wait for another attempt, or for nothing after the last."""
    with transaction.atomic():
        row = _held(version_id, token).select_for_update().first()
        if row is None:
            return
        after = DatasetState.FAILED if row.attempt >= MOST_ATTEMPTS else DatasetState.QUEUED
        check(DATASET, row.state, after)
        before, row.state, row.error_message = row.state, after, message
        row.lease_token, row.lease_expires_at, row.counts = None, None, {}
        row.finished_at = now if after == DatasetState.FAILED else None
        row.save()
        record_event(subject=row, verb="attempt_ended", actor=None, from_state=before, to_state=after, reason=message)
