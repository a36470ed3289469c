from collections.abc import Iterable
from decimal import Decimal

from inference_workers.models import Completion
from inference_workers.policies.prices import Prices, Usage, cost_of
from inference_workers.use_cases.lock_gauge import lock_gauge
from inference_workers.use_cases.note_attempt import add_spent


def charge_unheard(completion: Completion) -> None:
    """Charge an attempt of a locked completion whose end nobody heard with the most that it can have cost, and mark it
    as an estimate, in the caller's transaction: an endpoint may have been at work until its worker died, so that less
    would let a day's budget be passed by workers that die. The caller saves the completion."""
    amount = completion.reserved_cost
    if amount:
        gauge, clock = lock_gauge(endpoint_id=completion.revision.endpoint_id)
        add_spent(gauge, amount, clock)
        gauge.save(update_fields=["spent_today", "spent_on"])
        completion.cost = (completion.cost or Decimal()) + amount
        completion.estimated_cost = (completion.estimated_cost or Decimal()) + amount


def charge_known(completion: Completion, usage: Usage, *, instead_of: Decimal | None = None) -> None:
    """Charge an attempt of a locked completion that its worker gave up in the middle of a text with what it took so
    far, in place of the estimate `instead_of` where one was charged. A file that may have been made all the same stays
    an estimate. The caller saves the completion."""
    cost = cost_of(usage, Prices.of(completion.revision))
    if cost is None:
        return
    difference = cost - (instead_of or Decimal())
    gauge, clock = lock_gauge(endpoint_id=completion.revision.endpoint_id)
    add_spent(gauge, difference, clock)
    gauge.save(update_fields=["spent_today", "spent_on"])
    completion.cost = (completion.cost or Decimal()) + difference
    guessed = (completion.estimated_cost or Decimal()) - (instead_of or Decimal())
    completion.estimated_cost = max(guessed + cost if usage.unheard else guessed, Decimal()) or None


def by_endpoint(completions: Iterable[Completion]) -> list[Completion]:
    """In the order in which whoever charges several must charge them: gauges are locked one after the other."""
    return sorted(completions, key=lambda completion: completion.revision.endpoint_id)
