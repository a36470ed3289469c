from celery import shared_task
from django.utils import timezone

from annotation.queries.dry_runs import left_dry_runs
from annotation.simulation.dry_run import dry_run


# A few thousand statements, each of them quick.
@shared_task(name="annotation.dry_run", ignore_result=True, soft_time_limit=1740, time_limit=1800)
def rehearse(source_id: int) -> None:
    dry_run(source_id=source_id, clock=timezone.now)


@shared_task(name="annotation.sweep_dry_runs", ignore_result=True)
def sweep() -> None:
    for source_id in left_dry_runs(now=timezone.now()):
        rehearse.delay(source_id)
