from celery import shared_task
from django.utils import timezone

from arena.use_cases.classify_prompts import classify_prompts
from arena.use_cases.sweep_battles import sweep_battles
from arena.use_cases.watch_excluded import watch_excluded


@shared_task(name="arena.sweep_battles", ignore_result=True)
def sweep() -> None:
    sweep_battles(now=timezone.now())


@shared_task(name="arena.classify_prompts", ignore_result=True)
def classify() -> None:
    classify_prompts(now=timezone.now())


@shared_task(name="arena.watch_excluded", ignore_result=True)
def watch() -> None:
    watch_excluded(now=timezone.now())
