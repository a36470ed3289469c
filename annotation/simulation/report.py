"""What a dry run tells: cost and hours from what its people needed, and how exact the standings would be."""

from typing import Any

import numpy as np
from django.db.models import Count, Q

from annotation.boards.forms import scale_of
from annotation.boards.listed import read_listed
from annotation.boards.names import contestant_names
from annotation.boards.planning import NoPlan, Planned, plan_listed, plan_votes, plan_worth
from annotation.enums import ItemPurpose, RespondentState, SlotState
from annotation.models import Campaign, Impression, Item, Judgment, Respondent, Slot, Source
from annotation.policies.rehearsed import HOUR, Forecast, Plan, Took, forecast
from annotation.queries import standing_judgments
from annotation.queries.campaigns import supply_of
from annotation.ratings import merged_contestants, read_pairs
from annotation.simulation.people import Truth

BESIDE = (ItemPurpose.GOLD, ItemPurpose.ATTENTION)
BEFORE = (ItemPurpose.TRAINING, ItemPurpose.QUALIFICATION)


def report_of(shadow: Campaign, source: Source, truth: Truth) -> dict[str, Any]:
    """Of the whole campaign, as plain JSON. Where there is no board it says why by a code; a page has the words."""
    original = shadow.shadow_of or shadow
    found = forecast(took_by(shadow, source), plan_of(original))
    endowments = original.endowments
    draws = sum(endowments) / len(endowments) * found.people if endowments else None
    states = Respondent.objects.filter(source=source).values_list("state").annotate(count=Count("pk"))
    return {
        "judgments": found.work,
        "shown": found.total,
        "hours": round(found.seconds / HOUR, 1),
        "cost": None if found.cost is None else str(found.cost),
        "currency": original.pay_currency,
        "draws": None if draws is None else f"{draws:.2f}",
        "forecast": found.plain(),
        "budget_judgments": original.budget_judgments,
        "budget_money": None if original.budget_money is None else str(original.budget_money),
        "simulated": Judgment.objects.filter(source=source).count(),
        "impressions": Impression.objects.filter(campaign=shadow).count(),
        "people": dict(states),
        **_precision(shadow, source, found, truth),
    }


def took_by(shadow: Campaign, source: Source) -> Took:
    """What the simulated people gave."""
    given = Judgment.objects.filter(source=source, supersedes__isnull=True)
    counts = given.aggregate(
        work=Count("pk", filter=Q(item__purpose=ItemPurpose.WORK, item__repeat_of=None)),
        repeats=Count("pk", filter=Q(item__purpose=ItemPurpose.WORK, item__repeat_of__isnull=False)),
        checks=Count("pk", filter=Q(item__purpose__in=BESIDE)),
        first=Count("pk", filter=Q(item__purpose__in=BEFORE)),
        anchors=Count("pk", filter=Q(item__purpose=ItemPurpose.ANCHOR)),
        people=Count("respondent", distinct=True),
    )
    slots = Slot.objects.filter(item__campaign=shadow, item__purpose=ItemPurpose.WORK, item__repeat_of=None)
    states = slots.exclude(state=SlotState.CANCELLED).values("item")
    done = Count("pk", filter=Q(state=SlotState.DONE))
    items = [row["done"] for row in states.annotate(done=done, all=Count("pk")) if row["done"] == row["all"]]
    lost = Respondent.objects.filter(source=source, state=RespondentState.SCREENED_OUT).count()
    return Took(finished=len(items), of_finished=sum(items), screened_out=lost, **counts)


def plan_of(campaign: Campaign) -> Plan:
    items = Item.objects.filter(campaign=campaign, purpose=ItemPurpose.WORK, repeat_of=None).exclude(state="void")
    supply = supply_of(campaign)
    return Plan(
        items=items.count(),
        overlap=campaign.overlap,
        check_items=supply.gold + supply.attention,
        per_person=campaign.quota_per_annotator,
        share_per_person=campaign.share_per_annotator,
        pay=campaign.pay_per_judgment,
        screen_out_pay=campaign.screen_out_pay,
        seconds=campaign.expected_seconds,
        budget_judgments=campaign.budget_judgments,
        budget_money=campaign.budget_money,
    )


def _precision(shadow: Campaign, source: Source, found: Forecast, truth: Truth) -> dict[str, Any]:
    """From the dry run's judgments of work, with intervals as wide as those of as many as the budget pays for."""
    # Nobody else writes here, and an import beside it may hold the numbers up for many minutes.
    judgments = standing_judgments(shadow, sources=[source.pk], numbered=False)
    merged = merged_contestants()
    pairs = read_pairs(judgments, merged=merged)
    form, scale, why = None, {}, ""
    planned: list[Planned] = []
    try:
        if (pairs.preference > 0).any():
            planned = plan_votes(pairs, votes=found.work_at_stop)
        else:
            rows = read_listed(judgments, merged=merged)
            form, scale = rows.form, dict(scale_of(rows))
            planned = plan_listed(rows, judgments=found.work_at_stop)
    except NoPlan as none:
        why = none.reason
    return {
        "board": _named(planned, truth),
        "why_no_board": why,
        "form": None if form is None else form.value,
        "decimals": int(scale.get("decimals", 0)),
        "unit": scale.get("unit", "points"),
        "planned_for": found.work_at_stop,
        "worth": _worth(pairs, found, truth, shadow.currency) if pairs.priced.any() else None,
    }


def _worth(pairs: Any, found: Forecast, truth: Truth, currency: str) -> dict[str, Any]:
    given = int((pairs.preference > 0).sum())
    try:
        worth = plan_worth(pairs, judgments=found.work_at_stop, given=given)
    except NoPlan as none:
        return {"rows": [], "why": none.reason}
    in_money = worth.in_money
    return {"rows": _named(worth.rows, truth), "why": "", "currency": currency if in_money else ""}


def _named(planned: list[Planned], truth: Truth) -> list[dict[str, Any]]:
    names = contestant_names([each.contestant for each in planned])
    return [
        {
            "name": names[each.contestant],
            "rating": round(each.points, 3),
            "half_width": round(each.half_width, 3) if np.isfinite(each.half_width) else None,
            "truth": round(truth.of_contestants.get(each.contestant, 0.0), 3),
            "votes_to_separate": each.votes_to_separate,
        }
        for each in planned
    ]
