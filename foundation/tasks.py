from celery import shared_task
from django.utils import timezone

from foundation.idempotency import forget_expired


@shared_task(name="foundation.forget_idempotency_keys", ignore_result=True)
def forget_idempotency_keys() -> int:
    """Delete the answers whose keys nobody may send again."""
    return forget_expired(now=timezone.now())
