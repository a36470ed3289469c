from celery import shared_task
from django.utils import timezone

from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.sequence_log import sequence_log


@shared_task(name="annotation.sequence_log", ignore_result=True)
def number_judgments() -> None:
    sequence_log(now=timezone.now())


@shared_task(name="annotation.expire_assignments", ignore_result=True)
def give_back_expired() -> None:
    expire_assignments(now=timezone.now())
