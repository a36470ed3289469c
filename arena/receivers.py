"""News from the workers. The signal is a hint: `sweep_battles` reads the outbox for what it missed."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from arena.use_cases.settle_completion import settle_completion
from inference_workers.signals import job_finished


@receiver(job_finished, dispatch_uid="arena.settle_completion")
def settle_when_finished(sender: object, completion_id: UUID, **kwargs: Any) -> None:
    settle_completion(completion_id=completion_id, now=timezone.now())
