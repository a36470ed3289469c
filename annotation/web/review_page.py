"""What the page of one judgment to review holds. Who wrote a response is not in it before it is decided about."""

from typing import Any

from django.http import Http404

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.enums import CampaignState, ItemPurpose, ReviewState, Verdict
from annotation.forms.reviews import CommentForm
from annotation.models import Adjudication, Campaign, Item, Judgment, ReviewDecision
from annotation.policies.checks import is_right
from annotation.queries import instrument_questions, shown_item
from annotation.queries.answered import contestants_in, said_in
from annotation.queries.audit import Entry, audit_of
from annotation.queries.feedback import right_answers
from annotation.queries.gold import explanation_of
from annotation.queries.reviews import first_answer, looks_of, others_on, settled_items, shown_state, state_of
from annotation.queries.said import flags_on
from annotation.transitions import REVIEW

RUNNING = (CampaignState.PILOT, CampaignState.RUNNING)


def found_judgment(campaign: Campaign, judgment_id: int) -> Judgment:
    judgments = Judgment.objects.select_related("item", "respondent__person", "review", "adjudication", "guidelines")
    found: Judgment | None = judgments.filter(campaign=campaign, kind="answer", pk=judgment_id).first()
    if found is None:
        raise Http404
    return found


def review_context(campaign: Campaign, judgment: Judgment, actor: Person, *, sees_names: bool) -> dict[str, Any]:
    item, state, first = judgment.item, state_of(judgment), first_answer(judgment)
    settled = item.pk in settled_items([item.pk])
    decisions = list(ReviewDecision.objects.filter(review__judgment=judgment).order_by("pk"))
    # Others have answered what a repeat repeats.
    repeats = {"not_by": judgment.respondent_id} if item.repeat_of_id else {}
    others = others_on(item.repeat_of_id or item.pk, order=judgment.order, besides=judgment.pk, **repeats)
    sees_others = any("others" in look for look in looks_of(item.pk, actor))
    shown = [judgment, *([first] if first else []), *(other.judgment for other in others if sees_others)]
    said = said_in(shown, order=judgment.order)
    has_decided = any(each.person == actor for each in decisions if each.verdict != Verdict.APPEAL)
    return {
        "campaign": campaign,
        "judgment": judgment,
        "item": shown_item(item.pk, judgment.order),
        **of_check(item, judgment),
        "said": said[judgment.pk],
        "state": ReviewState(state),
        "shown_state": shown_state(judgment, is_settled=settled),
        "is_settled": settled,
        "settles": hasattr(judgment, "adjudication"),
        "repeat_of": item.repeat_of_id,
        "first": first,
        "first_said": said[first.pk] if first else None,
        "seconds": None if judgment.active_ms is None else judgment.active_ms / 1000,
        "stands": not Judgment.objects.filter(supersedes=judgment).exists(),
        "others": [(other, said[other.judgment.pk]) for other in others] if sees_others else [],
        "others_count": len(others),
        "sees_others": sees_others,
        "contestants": contestants_in(judgment) if has_decided else None,
        "may": may(state, judgment, actor, decisions),
        "appeal": appeal_in(decisions),
        "entries": entries(audit_of(item, judgment=judgment.pk), actor, sees_names=sees_names),
        "may_ask": item.purpose == ItemPurpose.WORK and item.repeat_of_id is None,
        "may_adjudicate": campaign.state in RUNNING and judgment.respondent.person_id != actor.pk,
        "is_own": judgment.respondent.person_id == actor.pk,
        "sees_names": sees_names,
        "flags": flags_on(item.repeat_of_id or item.pk, order=judgment.order),
    }


def right(item: Item, judgment: Judgment) -> bool | None:
    """Of a check; None of everything else."""
    if not item.expected:
        return None
    asked = instrument_questions(judgment.instrument_id)
    return is_right(item.expected, asked=asked, answers=judgment.answers, order=judgment.order)


def of_check(item: Item, judgment: Judgment) -> dict[str, Any]:
    """Whether it is right and what is, by the sides that this person saw."""
    asked = {question.name: question for question in instrument_questions(judgment.instrument_id)}
    return {
        "is_check": item.purpose in (ItemPurpose.GOLD, ItemPurpose.ATTENTION),
        "is_right": right(item, judgment),
        "right_said": right_answers(item.expected or [], asked, judgment.order),
        "explanation": explanation_of(item),
    }


def may(state: str, judgment: Judgment, actor: Person, decisions: list[ReviewDecision]) -> set[str]:
    """What this person may decide now."""
    if judgment.respondent.person_id == actor.pk:
        return set()
    rejected = [each.person_id for each in decisions if each.verdict == Verdict.REJECT]
    if state == ReviewState.APPEALED:
        return set() if actor.pk in rejected else {"grant", "refuse"}
    found = {"approve"} if ReviewState.APPROVED in REVIEW[state] else set()
    if state == ReviewState.PENDING or (state == ReviewState.CONTESTED and rejected[-1:] != [actor.pk]):
        found.add("reject")
    return found | ({"reopen"} if ReviewState.PENDING in REVIEW[state] else set())


def appeal_in(decisions: list[ReviewDecision]) -> str | None:
    """An annotator's words; None without an appeal, "" where they were erased."""
    found = next((each for each in decisions if each.verdict == Verdict.APPEAL), None)
    if found is None or found.personal_text_id is None:
        return None
    return read_personal_texts([found.personal_text_id])[found.personal_text_id] or ""


def entries(found: list[Entry], reader: Person, *, sees_names: bool) -> list[tuple[Entry, str]]:
    """Each with whose doing it was, as far as the reader may know."""
    return [(entry, entry.by(reader, sees_names=sees_names)) for entry in found]


def item_audit(item: Item) -> dict[str, Any]:
    """What the page of an item says of what was done, for campaign admins, who see names."""
    return {
        "entries": [(entry, entry.name) for entry in audit_of(item)],
        "flags": flags_on(item.pk),
        "adjudications": Adjudication.objects.filter(item=item).count(),
        "comment_form": CommentForm(),
    }
