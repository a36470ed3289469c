from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Campaign
from annotation.policies.answers import with_answers
from annotation.policies.consent import filled, open_places
from annotation.policies.drafts import (
    CONSENT,
    DRAFTED,
    GUIDELINES,
    QUESTIONS,
    QuestionsFrozen,
    all_as_asked,
    questions_are_frozen,
    refuse_if_closed,
    refuse_if_stale,
    section_content,
    section_version,
)
from annotation.queries.asked import published_answers
from annotation.queries.campaigns import is_judged
from annotation.questions import check_instrument
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.record_event import record_event
from foundation.text import clean_json


class TextHasGaps(AnnotationError):
    """People would read what its author has left open; `texts` says what."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__("; ".join(texts))
        self.texts = list(texts)


def save_campaign_draft(
    *,
    campaign_id: int,
    section: str,
    content: Any,
    version: str,
    actor: Person | None,
    now: datetime,
    requalify: bool = False,
    retrain: bool = False,
    terms: Mapping[str, Any] | None = None,
) -> Campaign:
    """Store the questions, the guidelines or the consent text. After the launch people see it, as a new version.

    With `requalify` the new guidelines ask everybody to take the test again, with `retrain` the training too.
    `terms` are what the page of the consent text says beside it.
    `version` is that of the section as it was opened: raises StaleDraft where somebody saved it since. Also raises
    CampaignIsClosed, QuestionsFrozen, TextHasGaps for what people would see, and what is wrong with questions:
    UnknownQuestionType, InvalidSettings.
    """
    if section not in DRAFTED:
        raise KeyError(section)
    content = clean_json(content)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        refuse_if_closed(campaign)
        refuse_if_stale(campaign, section, version)
        if section == QUESTIONS:
            _check_questions(campaign, content)
        is_new = content != section_content(campaign, section)
        changed = _set_terms(campaign, terms or {})
        if not (is_new or requalify or retrain or changed):
            return campaign
        _write(campaign, section, content, changed, actor)
        if campaign.state != CampaignState.DRAFT:
            _refuse_gaps(campaign, section)
            publish_section(campaign, section, actor=actor, now=now, requalify=requalify, retrain=retrain)
    campaign.refresh_from_db()
    return campaign


def publish_section(
    campaign: Campaign,
    section: str,
    *,
    actor: Person | None,
    now: datetime,
    requalify: bool = False,
    retrain: bool = False,
) -> None:
    """Make what the draft says what people see; nothing where they see it already. Within the caller's transaction."""
    content = section_content(campaign, section)
    if section == QUESTIONS:
        publish_instrument(campaign_id=campaign.pk, questions=content, actor=actor, now=now)
    if section == GUIDELINES:
        text = with_answers(content, published_answers(campaign))
        if requalify or retrain or campaign.guidelines is None or campaign.guidelines.text != text:
            publish_guidelines(
                campaign_id=campaign.pk, text=text, actor=actor, now=now, requalify=requalify, retrain=retrain
            )
    if section == CONSENT:
        text, last = filled(campaign, content), campaign.consent
        if last is None or (last.text, last.withdrawal_until) != (text, campaign.withdrawal_until):
            publish_consent(campaign_id=campaign.pk, text=text, actor=actor, now=now)


def _set_terms(campaign: Campaign, terms: Mapping[str, Any]) -> list[str]:
    """The columns that have changed."""
    changed = [name for name, value in terms.items() if getattr(campaign, name) != value]
    for name in changed:
        setattr(campaign, name, terms[name])
    return changed


def _write(campaign: Campaign, section: str, content: Any, changed: list[str], actor: Person | None) -> None:
    campaign.draft = {**campaign.draft, section: content}
    campaign.save(update_fields=["draft", *changed])
    data = {"section": section, "version": section_version(campaign, section)}
    record_event(subject=campaign, verb="draft_saved", actor=actor, data=data)


def _refuse_gaps(campaign: Campaign, section: str) -> None:
    if section in (CONSENT, GUIDELINES) and (gaps := open_places(campaign, section)):
        raise TextHasGaps([text for _section, text in gaps])


def _check_questions(campaign: Campaign, content: Any) -> None:
    if questions_are_frozen(campaign, judged=is_judged(campaign)):
        raise QuestionsFrozen(f"campaign {campaign.slug} is {campaign.state} and has its questions")
    asked = all_as_asked(content)
    # A draft may be empty for a while; what people are asked may not.
    if asked or campaign.state != CampaignState.DRAFT:
        check_instrument(asked)
