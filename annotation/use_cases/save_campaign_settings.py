from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState, ItemState, SourceState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Item
from annotation.policies.drafts import (
    COLUMNS,
    CONSENT,
    FIXED_WITH_QUESTIONS,
    PAY,
    QuestionsFrozen,
    questions_are_frozen,
    refuse_if_closed,
    refuse_if_stale,
    section_version,
)
from annotation.policies.launch import Missing, missing_pay
from annotation.queries.campaigns import is_judged
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.match_slots import match_slots
from annotation.use_cases.record_event import record_event
from annotation.use_cases.save_campaign_draft import publish_section
from foundation.text import clean_text


class ContentInUse(AnnotationError):
    """Items have this category of content; without it nobody would be warned of what it means."""

    def __init__(self, category: str) -> None:
        super().__init__(f"items have the content {category!r}")
        self.category = category


class PayDoesNotStand(AnnotationError):
    """People work for this pay, and a launch with it would be refused; `missing` says why."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("; ".join(each.text for each in missing))
        self.missing = list(missing)


def save_campaign_settings(
    *,
    campaign_id: int,
    section: str,
    values: Mapping[str, Any],
    version: str,
    actor: Person | None,
    now: datetime,
) -> Campaign:
    """Store the columns of one section, all of them, as a form has checked them.

    `version` is that of the section as it was opened: raises StaleDraft where somebody saved it since. Also raises
    CampaignIsClosed, QuestionsFrozen for what questions are asked about once they are frozen, PayDoesNotStand and
    ContentInUse.
    """
    columns = COLUMNS[section]
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        refuse_if_closed(campaign)
        refuse_if_stale(campaign, section, version)
        found = {name: _clean(values[name]) for name in columns}
        changed = [name for name in columns if getattr(campaign, name) != found[name]]
        _refuse_fixed(campaign, changed)
        if not changed:
            return campaign
        _set(campaign, {name: found[name] for name in changed}, is_pay=section == PAY, now=now)
        if "warned_content" in changed:
            _refuse_if_in_use(campaign)
        if "policy" in changed:
            campaign.policy_parameters = {}  # another policy's say nothing to this one
        campaign.save(update_fields=[*changed, "policy_parameters"])
        data: dict[str, Any] = {"section": section, "changed": changed, "version": section_version(campaign, section)}
        if "overlap" in changed:
            data["slots"] = asdict(match_slots(campaign=campaign, now=now))
        record_event(subject=campaign, verb="settings_saved", actor=actor, data=data)
        if campaign.state != CampaignState.DRAFT and campaign.consent_id is not None:
            # The consent text tells of some of them: where it says something else now, people are asked anew.
            publish_section(campaign, CONSENT, actor=actor, now=now)
    return campaign


def _refuse_fixed(campaign: Campaign, changed: Sequence[str]) -> None:
    """What questions are asked about stays once they are frozen, and of how many models an arena's battles are."""
    fixed = [name for name in changed if name in FIXED_WITH_QUESTIONS]
    if fixed and questions_are_frozen(campaign, judged=is_judged(campaign)):
        raise QuestionsFrozen(f"{', '.join(fixed)} of campaign {campaign.slug} is fixed with its questions")
    if "responses_per_item" in changed and campaign.is_arena and campaign.state != CampaignState.DRAFT:
        raise QuestionsFrozen(f"battles of arena {campaign.slug} are of {campaign.responses_per_item}")


def _set(campaign: Campaign, values: Mapping[str, Any], *, is_pay: bool, now: datetime) -> None:
    if is_pay:
        # What was judged until now is owed at the pay until now.
        accrue_fees(campaign_id=campaign.pk, now=now)
    for name, value in values.items():
        setattr(campaign, name, value)
    if is_pay and campaign.state != CampaignState.DRAFT and (missing := missing_pay(campaign)):
        raise PayDoesNotStand(missing)


def _refuse_if_in_use(campaign: Campaign) -> None:
    """An import that names a category ends under the campaign's lock, which is held here."""
    items = Item.objects.filter(campaign=campaign).exclude(warnings__contained_by=campaign.warned_content)
    other = items.exclude(state=ItemState.VOID).filter(source__state=SourceState.ACTIVE).first()
    if other is not None:
        raise ContentInUse(next(name for name in other.warnings if name not in campaign.warned_content))


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return clean_text(value) if isinstance(value, str) else value
