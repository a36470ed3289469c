from celery import shared_task
from django.utils import timezone

from arena.use_cases.sweep_battles import sweep_battles


@shared_task(name="arena.sweep_battles", ignore_result=True)
def sweep() -> None:
    sweep_battles(now=timezone.now())
