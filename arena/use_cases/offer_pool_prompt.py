from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.models import PoolPrompt


def offer_pool_prompt(*, prompt_id: int, is_active: bool, actor: Person | None, now: datetime) -> PoolPrompt:
    """Offer a prompt of a pool to visitors, or stop; battles that asked it stay as they are."""
    with transaction.atomic():
        prompt = PoolPrompt.objects.select_for_update().get(pk=prompt_id)
        if prompt.is_active != is_active:
            prompt.is_active = is_active
            prompt.save(update_fields=["is_active"])
            record_event(subject=prompt, verb="offered" if is_active else "retired", actor=actor)
    return prompt
