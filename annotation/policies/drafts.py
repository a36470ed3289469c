"""What a campaign's editor holds: its sections, their versions, and until when each may be changed."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Question
from annotation.questions import Asked, Condition, InvalidSettings, check_settings

CONSENT, GUIDELINES, QUESTIONS = "consent", "guidelines", "questions"
# Sections that are a member of `Campaign.draft`, with what stands there before anybody wrote.
DRAFTED: Mapping[str, Any] = {CONSENT: "", GUIDELINES: "", QUESTIONS: []}
ABOUT, CONTENT, DESIGN, PAY, WORTH = "about", "content", "design", "pay", "worth"
# Sections that are columns of the campaign.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    ABOUT: ("name", "purpose", "standard"),
    CONTENT: ("warned_content", "exposure_cap"),
    DESIGN: (
        *("pool", "responses_per_item", "currency", "overlap", "overlap_limit", "quota_per_annotator"),
        *("share_per_annotator", "group_quotas", "gold_share", "attention_share", "repeat_share", "pass_mark"),
        *("lease_seconds", "policy", "order_design", "deadline", "budget_judgments", "budget_money", "played_share"),
    ),
    PAY: ("pay_per_judgment", "pay_currency", "expected_seconds", "pay_floor", "screen_out_pay"),
    WORTH: ("endowments", "session_items"),
}
# What questions are asked about: as fixed as they are.
FIXED_WITH_QUESTIONS = ("responses_per_item", "currency", "endowments", "session_items")
# What an arena has as its visitors need it.
FIXED_IN_ARENAS = (
    *("pool", "overlap", "overlap_limit", "gold_share", "attention_share", "repeat_share"),
    "pay_per_judgment",
)
# How many hidden models a battle can have; no more once the arena was launched, as every battle is of that many.
CONTESTANTS_IN_ARENAS = (2, 4)
# What the page of the consent text says beside it.
TERMS = ("withdrawal_until", "contact")
SETTINGS = (*(name for columns in COLUMNS.values() for name in columns), *TERMS)


class StaleDraft(AnnotationError):
    """Somebody else saved this section after it was opened; saving would lose their text."""


class QuestionsFrozen(AnnotationError):
    """Judgments hang on these questions, so they stay as they are. Copy the campaign to ask others."""


class CampaignIsClosed(AnnotationError):
    """A closed campaign is not changed any more."""


def section_content(campaign: Campaign, section: str) -> Any:
    """What the section holds now; what was published, where no editor was used. KeyError for a section there is not."""
    if section in DRAFTED:
        return campaign.draft[section] if section in campaign.draft else _published(campaign, section)
    return {name: getattr(campaign, name) for name in COLUMNS[section]}


def section_version(campaign: Campaign, section: str) -> str:
    """Changes exactly when the content does; a form carries the one it was drawn from."""
    content = section_content(campaign, section)
    if section == CONSENT:
        content = [content, *(getattr(campaign, name) for name in TERMS)]
    canonical = json.dumps(content, sort_keys=True, cls=DjangoJSONEncoder)
    return sha256(f"{section}:{canonical}".encode()).hexdigest()[:32]


def refuse_if_stale(campaign: Campaign, section: str, version: str) -> None:
    if section_version(campaign, section) != version:
        raise StaleDraft(f"{section} of campaign {campaign.slug} was saved by somebody else")


def refuse_if_closed(campaign: Campaign) -> None:
    if campaign.state == CampaignState.CLOSED:
        raise CampaignIsClosed(f"campaign {campaign.slug} is closed")


def questions_are_frozen(campaign: Campaign, *, judged: bool) -> bool:
    """A draft is free, a pilot until its first judgment."""
    return campaign.state != CampaignState.DRAFT and (judged or campaign.state != CampaignState.PILOT)


def as_asked(question: Mapping[str, Any]) -> Asked:
    """A question as drafts and templates write it: name, type, and optionally title, required, settings, condition.

    Raises UnknownQuestionType or InvalidSettings.
    """
    return Asked(
        name=question["name"],
        type=question["type"],
        title=question.get("title", ""),
        required=question.get("required", True),
        settings=check_settings(question["type"], question.get("settings", {})),
        condition=_condition(question),
    )


def all_as_asked(questions: Sequence[Mapping[str, Any]]) -> list[Asked]:
    return [as_asked(question) for question in questions]


def _published(campaign: Campaign, section: str) -> Any:
    if section == QUESTIONS and campaign.instrument is not None:
        return [_written(question) for question in campaign.instrument.questions.all()]
    if section == GUIDELINES and campaign.guidelines is not None:
        return campaign.guidelines.text
    if section == CONSENT and campaign.consent is not None:
        return campaign.consent.text
    return DRAFTED[section]


def _written(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "type": question.type,
        "title": question.title,
        "required": question.required,
        "settings": question.settings,
        "condition": question.condition,
        "ask_probability": question.ask_probability,
    }


def _condition(question: Mapping[str, Any]) -> Condition | None:
    given = question.get("condition")
    if given is None:
        return None
    if isinstance(given, dict) and set(given) == {"question", "values"}:
        name, values = given["question"], given["values"]
        if isinstance(name, str) and isinstance(values, list) and all(isinstance(value, str) for value in values):
            return Condition(name, tuple(values))
    raise InvalidSettings(f"{question['name']}: a condition is an object of question and values, not {given!r:.60}")
