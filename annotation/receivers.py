"""News from the workers. The signal is a hint: `sweep_generations` finds in the rows what it missed."""

from typing import Any
from uuid import UUID

from django.db.models import Value
from django.dispatch import receiver

from annotation.enums import ItemState
from annotation.models import Turn, Verdict
from annotation.use_cases.advance_generation import hint_item
from annotation.use_cases.advance_judging import hint_judging
from inference_workers.signals import job_finished

# A completion of many samples may stand in more items; those are the sweeper's.
MOST_HINTS = 32
HINTS = {"item": hint_item, "judging": hint_judging}


@receiver(job_finished, dispatch_uid="annotation.note_generated")
def note_when_finished(sender: object, completion_id: UUID, **kwargs: Any) -> None:
    """In the process that wrote the text, which has others to write: the rest is done elsewhere."""
    turns = Turn.objects.filter(
        completion=completion_id, response__item__generation__isnull=False, response__item__state=ItemState.FILLING
    )
    items = turns.values_list(Value("item"), "response__item_id")
    judgings = Verdict.objects.filter(completion=completion_id).values_list(Value("judging"), "judging_id")
    for waits, number in items.union(judgings)[:MOST_HINTS]:  # one statement: every answer of an arena comes by here
        HINTS[waits](number)
