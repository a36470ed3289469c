"""News from the workers. That a job has finished is a hint: `sweep_battles` reads the outbox for what it missed."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.queries.arenas import arenas_with
from arena.use_cases.settle_completion import settle_completion
from inference_workers.signals import job_finished, output_changing


@receiver(job_finished, dispatch_uid="arena.settle_completion")
def settle_when_finished(sender: object, completion_id: UUID, **kwargs: Any) -> None:
    settle_completion(completion_id=completion_id, now=timezone.now())


@receiver(output_changing, dispatch_uid="arena.keep_output_in_battles")
def keep_output_in_battles(sender: object, language_model_id: int, output: str, **kwargs: Any) -> str:
    """A model that takes part where battles are of something else could be drawn no more, without a word to anybody."""
    arenas = arenas_with(language_model_id, unless_of=output)
    if not arenas:
        return ""
    said = _("It takes part in arenas whose battles are of something else: %(arenas)s. Take it out there first.")
    return said % {"arenas": ", ".join(arenas)}
