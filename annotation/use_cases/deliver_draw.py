from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Person
from annotation.models import Delivery, Draw
from annotation.use_cases.record_event import record_event


def deliver_draw(*, draw_id: int, actor: Person | None, now: datetime) -> Delivery:
    """Somebody says that what the draw decided was handed to whoever asked; once, however often it is said."""
    draw = Draw.objects.get(pk=draw_id)
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(draw=draw, created_at=now)
            record_event(subject=draw.session, verb="delivered", actor=actor, data={"draw": draw.pk})
    except IntegrityError:
        return Delivery.objects.get(draw=draw)
    return delivery
