from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from inference_workers.enums import BreakerState, CompletionState, Priority
from inference_workers.models import Completion, EndpointGauge, LanguageModel
from inference_workers.use_cases.ask_for_test import try_out
from inference_workers.use_cases.lock_gauge import lock_gauge


def probe_endpoints(*, now: datetime) -> int:
    """Ask something small of every endpoint that was left alone for long enough and for which no batch waits: whether
    it answers again must cost nobody their turn. Returns how many were asked."""
    unfinished = Completion.objects.filter(
        revision__endpoint=OuterRef("pk"),
        state__in=[CompletionState.QUEUED, CompletionState.RUNNING],
        priority__gt=Priority.VISITOR,
    )
    due = EndpointGauge.objects.exclude(state=BreakerState.CLOSED).exclude(Exists(unfinished))
    return sum(_probe(gauge.pk) for gauge in due)


def _probe(endpoint_id: int) -> bool:
    with transaction.atomic():
        gauge, clock = lock_gauge(endpoint_id=endpoint_id)
        if gauge.state == BreakerState.CLOSED or (gauge.opened_until and gauge.opened_until > clock):
            return False
        # Another each time: one whose key is refused says nothing of those beside it.
        tried = Completion.objects.filter(revision=OuterRef("current"), priority=Priority.PROBE).order_by("-created_at")
        models = LanguageModel.objects.filter(current__endpoint=endpoint_id).select_related("current")
        models = models.annotate(tried_at=Subquery(tried.values("created_at")[:1]))
        model = models.order_by(F("tried_at").asc(nulls_first=True), "-weight", "pk").first()
        if model is None:
            return False
        try_out(model, now=clock, priority=Priority.PROBE)
    return True
