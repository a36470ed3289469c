from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState, ItemPurpose, ItemState, RespondentKind, SourceKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, Item, Respondent, Source
from annotation.policies.drafts import DRAFTED
from annotation.use_cases.begin_session import NotAPaidCampaign, seat_simulated
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_campaign import copy_campaign
from annotation.use_cases.copy_items import copy_items
from annotation.use_cases.record_event import record_event
from annotation.use_cases.save_campaign_draft import publish_section

MOST_ITEMS, MOST_PEOPLE = 100, 50
MEETABLE = (ItemState.OPEN, ItemState.FROZEN)


class NothingToRehearse(AnnotationError):
    """A dry run needs items and questions."""


def cast_shadow(*, campaign_id: int, items: int, people: int, seed: int, actor: Person | None, now: datetime) -> Source:
    """A campaign like this one with copies of its first items and people who do not exist, ready for a dry run.

    Returns the simulation that everything in it belongs to. Raises NothingToRehearse.
    """
    if not 1 <= items <= MOST_ITEMS or not 2 <= people <= MOST_PEOPLE:
        raise NothingToRehearse(f"a dry run takes 1 to {MOST_ITEMS} items and 2 to {MOST_PEOPLE} people")
    with transaction.atomic():
        original = Campaign.objects.select_for_update().get(pk=campaign_id)
        ready = Item.objects.filter(campaign=original, state__in=MEETABLE, repeat_of=None).order_by("pk")
        work = list(ready.filter(purpose=ItemPurpose.WORK)[:items])
        if not work:
            raise NothingToRehearse("there is no item yet that could be judged")
        shadow = copy_campaign(campaign_id=campaign_id, name=f"{original.name[:100]} (dry run)", actor=actor, now=now)
        shadow.shadow_of, shadow.deadline, shadow.budget_judgments, shadow.budget_money = original, None, None, None
        shadow.save(update_fields=["shadow_of", "deadline", "budget_judgments", "budget_money"])
        for section in DRAFTED:
            publish_section(shadow, section, actor=actor, now=now)
        shadow.refresh_from_db()
        details: dict[str, Any] = {"seed": seed, "people": people, "state": "waiting", "requested_at": now.isoformat()}
        source = Source.objects.create(campaign=shadow, kind=SourceKind.SIMULATION, name="Dry run", details=details)
        checks = ready.exclude(purpose=ItemPurpose.WORK)[:MOST_ITEMS]
        copy_items(items=[*work, *checks], to=shadow, source=source, now=now)
        _make_up_people(shadow, source, people, now)
        change_campaign_state(campaign_id=shadow.pk, to=CampaignState.RUNNING, actor=actor, reason="dry run", now=now)
        record_event(subject=original, verb="dry_run", actor=actor, data={"shadow": shadow.slug})
    return source


def _make_up_people(shadow: Campaign, source: Source, count: int, now: datetime) -> None:
    """Who agreed and read, and have an endowment where amounts are paid."""
    people = Respondent.objects.bulk_create(
        Respondent(
            campaign=shadow,
            kind=RespondentKind.SIMULATED,
            source=source,
            pseudonym=f"simulated-{number:03}",
            consent_id=shadow.consent_id,
            consented_at=now,
            guidelines_id=shadow.guidelines_id,
        )
        for number in range(1, count + 1)
    )
    try:
        seat_simulated(shadow, people, now)
    except NotAPaidCampaign as none:
        raise NothingToRehearse("paid amounts need an endowment and the items of a session") from none
