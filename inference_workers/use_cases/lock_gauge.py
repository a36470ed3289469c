from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import DateTimeField, Func

from inference_workers.models import EndpointGauge
from inference_workers.policies.breaker import Breaker


def lock_gauge(*, endpoint_id: int) -> tuple[EndpointGauge, datetime]:
    """Wait for an endpoint's gauge and hold it until the transaction ends; with it the database's clock.

    Whoever holds a completion's row may wait for a gauge, never the other way round.
    """
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    locked = EndpointGauge.objects.select_for_update(of=("self",)).select_related("endpoint").annotate(clock=clock)
    gauge = locked.filter(pk=endpoint_id).first()
    if gauge is None:
        EndpointGauge.objects.bulk_create([EndpointGauge(endpoint_id=endpoint_id)], ignore_conflicts=True)
        gauge = locked.get(pk=endpoint_id)
    return gauge, gauge.clock


def breaker_of(gauge: EndpointGauge) -> Breaker:
    return Breaker(gauge.state, gauge.failures, gauge.openings, gauge.opened_until, gauge.probe)


def set_breaker(gauge: EndpointGauge, breaker: Breaker) -> bool:
    """Write it to the locked row, not yet to the database; says whether anything changed."""
    if breaker == breaker_of(gauge):
        return False
    for name, value in asdict(breaker).items():
        setattr(gauge, name, value)
    return True


def spent_today(gauge: EndpointGauge, now: datetime) -> Decimal:
    """A day is one of UTC."""
    return gauge.spent_today if gauge.spent_on == now.astimezone(UTC).date() else Decimal()
