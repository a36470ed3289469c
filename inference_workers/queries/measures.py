"""Numbers that were measured, and how the measuring goes."""

from __future__ import annotations

from array import array
from base64 import b64decode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from accounts.texts import read_personal_texts
from inference_workers.enums import CompletionState, Task, Visibility
from inference_workers.models import Completion, LanguageModel, Measurement
from inference_workers.policies.vectors import unpacked

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class MeasureProgress:
    """Of texts wanted of one revision: measured, waiting or running, and failed the last time without another try."""

    wanted: int
    measured: int
    open: int
    failed: int

    @property
    def missing(self) -> int:
        return max(self.wanted - self.measured - self.open - self.failed, 0)


def measuring_models(task: str) -> list[LanguageModel]:
    """Those that can be asked, by name."""
    found = LanguageModel.objects.filter(task=task, current__isnull=False).exclude(visibility=Visibility.RETIRED)
    return list(found.select_related("current__endpoint").order_by("name"))


def numbers_of(revision_id: int, digests: Collection[str]) -> Iterator[tuple[str, array[float]]]:
    """By digest, of those that are measured. A person's are read with their key, and not at all without it."""
    wanted = sorted(digests)
    for start in range(0, len(wanted), BATCH):
        rows = Measurement.objects.filter(revision=revision_id, digest__in=wanted[start : start + BATCH])
        found = list(rows.order_by("digest").values_list("digest", "numbers", "personal_numbers"))
        sealed = read_personal_texts(text for _digest, _numbers, text in found if text is not None)
        for digest, numbers, text in found:
            if text is None:
                yield digest, unpacked(numbers)
            elif (words := sealed[text]) is not None:
                yield digest, unpacked(b64decode(words))


def scores_of(revision_id: int, digests: Collection[str]) -> dict[str, dict[str, float]]:
    """By digest, of what is sorted already: a score for each class. A person's are read with their key."""
    rows = Measurement.objects.filter(revision=revision_id, digest__in=set(digests), labels__isnull=False)
    labels = {digest: names or [] for digest, names in rows.values_list("digest", "labels")}
    numbers = dict(numbers_of(revision_id, labels))
    return {digest: dict(zip(labels[digest], found, strict=True)) for digest, found in numbers.items()}


def has_failed(revision_id: int, digest: str) -> bool:
    """Whether the last job for it ended without a result."""
    jobs = Completion.objects.filter(revision=revision_id, digest=digest).exclude(task=Task.TEXT)
    state = jobs.order_by("-created_at").values_list("state", flat=True).first()
    return state in (CompletionState.FAILED, CompletionState.CANCELLED)


def failed_lately(revision_id: int, digests: Collection[str], *, since: datetime) -> set[str]:
    """Of these, what failed for good since then."""
    jobs = Completion.objects.filter(revision=revision_id, state=CompletionState.FAILED, finished_at__gt=since)
    return _digests(jobs.filter(digest__in=set(digests)).exclude(task=Task.TEXT), set(digests))


def measure_progress(revision_id: int, digests: Collection[str]) -> MeasureProgress:
    wanted = set(digests)
    measured = _digests(Measurement.objects.filter(revision=revision_id), wanted)
    jobs = Completion.objects.filter(revision=revision_id).exclude(task=Task.TEXT)
    is_open = _digests(jobs.filter(state__in=[CompletionState.QUEUED, CompletionState.RUNNING]), wanted)
    failed = _digests(jobs.filter(state=CompletionState.FAILED), wanted)
    return MeasureProgress(len(wanted), len(measured), len(is_open - measured), len(failed - measured - is_open))


def failures_of(revision_id: int, digests: Collection[str]) -> list[tuple[str, int]]:
    """Why the failed ones failed, and how many, the usual reason first."""
    jobs = Completion.objects.filter(revision=revision_id, state=CompletionState.FAILED).exclude(task=Task.TEXT)
    counted = jobs.filter(digest__in=list(digests)[: 20 * BATCH]).values_list("error_code").annotate(count=Count("pk"))
    return sorted(counted, key=lambda row: -row[1])


def _digests(rows, wanted: set[str]) -> set[str]:  # type: ignore[no-untyped-def]
    return wanted & set(rows.values_list("digest", flat=True))
