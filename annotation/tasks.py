from celery import shared_task
from django.utils import timezone

from annotation.use_cases.build_dataset import build_dataset, sweep_datasets
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.refresh_boards import refresh_boards
from annotation.use_cases.sequence_log import sequence_log


@shared_task(name="annotation.sequence_log", ignore_result=True)
def number_judgments() -> None:
    sequence_log(now=timezone.now(), wait=False)


@shared_task(name="annotation.expire_assignments", ignore_result=True)
def give_back_expired() -> None:
    expire_assignments(now=timezone.now())


@shared_task(name="annotation.refresh_boards", ignore_result=True)
def bring_boards_up() -> None:
    refresh_boards(now=timezone.now())


@shared_task(name="annotation.build_dataset", ignore_result=True)
def build(version_id: int) -> None:
    build_dataset(version_id=version_id, now=timezone.now())


@shared_task(name="annotation.sweep_datasets", ignore_result=True)
def sweep_builds() -> None:
    sweep_datasets(now=timezone.now())
