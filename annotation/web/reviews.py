"""The review queue of a campaign, and one judgment to decide about. Reviewers and campaign admins only."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.enums import CampaignState
from annotation.forms.reviews import AskForm, CommentForm, DecisionForm, QueueForm
from annotation.models import Campaign, Judgment
from annotation.queries.campaigns import listed_campaigns
from annotation.queries.reviews import (
    Queue,
    Wanted,
    listed_judgments,
    queue_of,
    respondent_called,
    waiting_counts,
    waiting_in,
)
from annotation.use_cases.approve_judgment import approve_judgment
from annotation.use_cases.ask_for_judgment import NobodyIsAsked, ask_for_judgment
from annotation.use_cases.comment_item import comment_item
from annotation.use_cases.hold_review import NotStanding, OwnJudgment, ReviewChanged, SameReviewer
from annotation.use_cases.note_look import note_look
from annotation.use_cases.reject_judgment import reject_judgment
from annotation.use_cases.reopen_review import reopen_review
from annotation.use_cases.settle_appeal import settle_appeal
from annotation.use_cases.summarise_quality import summary_for
from annotation.web.access import for_reviewers
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.review_page import found_judgment, review_context
from foundation.transitions import ForbiddenTransition

ON_A_PAGE, MOST_CAMPAIGNS = 25, 200
REFUSALS = (ReviewChanged, OwnJudgment, SameReviewer, NotStanding, ForbiddenTransition)


@require_GET
@for_reviewers
def campaigns(request: HttpRequest) -> HttpResponse:
    found = list(listed_campaigns().exclude(state=CampaignState.DRAFT)[:MOST_CAMPAIGNS])
    waiting = waiting_in(found)
    rows = [(campaign, waiting[campaign.pk]) for campaign in found]
    return render(request, "annotation/review/campaigns.html", {"rows": rows})


@require_GET
@for_reviewers
def queue(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = QueueForm(request.GET)
    found, is_known = queue_asked_for(request, campaign, form)
    page = Paginator(found.ids, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "campaign": campaign,
        "form": form,
        "chosen": form.chosen,
        "queue": found,
        "page": page,
        "listed": listed_judgments(list(page), found),
        "counts": waiting_counts(campaign),
        "is_known": is_known,
        "asked": asked_for(request),
    }
    return render(request, "annotation/review/queue.html", context)


def queue_asked_for(request: HttpRequest, campaign: Campaign, form: QueueForm) -> tuple[Queue, bool]:
    """The queue that an address asks for, and whether what it goes by was computed yet."""
    chosen, before = form.chosen, request.GET.get("before", "")
    summary = summary_for(campaign=campaign, now=timezone.now())
    respondent = respondent_called(campaign, chosen["annotator"]) if chosen["annotator"] else None
    if chosen["annotator"] and respondent is None:
        return Queue([]), True
    wanted = Wanted(
        order=chosen["order"],
        states=(chosen["state"],) if chosen["state"] else (),
        respondent=respondent,
        before=int(before) if before.isdecimal() and before.isascii() and len(before) < 19 else None,
    )
    return queue_of(campaign, wanted, summary), summary is not None


def asked_for(request: HttpRequest) -> str:
    """What an address says about the queue, to be said again by the addresses of its judgments."""
    names = ("order", "state", "annotator", "before")
    kept = request.GET.copy()
    for name in list(kept):
        if name not in names or not kept[name]:
            del kept[name]
    return kept.urlencode()


@require_GET
@for_reviewers
def review(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    judgment = found_judgment(campaign, judgment_id)
    note_look(item=judgment.item, actor=actor_of(request), now=timezone.now(), judgment_id=judgment.pk)
    return render_review(request, campaign, judgment)


def render_review(
    request: HttpRequest, campaign: Campaign, judgment: Judgment, *, status: int = 200, **forms: Any
) -> HttpResponse:
    found, _is_known = queue_asked_for(request, campaign, QueueForm(request.GET))
    context = review_context(campaign, judgment, actor_of(request), sees_names=sees_names(request))
    context |= {
        "asked": asked_for(request),
        "next": found.after(judgment.pk),
        "previous": found.after(judgment.pk, -1),
        "decision_form": DecisionForm(),
        "comment_form": CommentForm(),
        "ask_form": AskForm(),
    }
    response = render(request, "annotation/review/judgment.html", context | forms, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def sees_names(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "has_role", lambda *_roles: False)("campaign_admin"))


@require_POST
@for_reviewers
def decide(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    """A decision leads to the next judgment of the queue that it came from."""
    campaign, form = managed_campaign(slug), DecisionForm(request.POST)
    judgment = found_judgment(campaign, judgment_id)
    if not form.is_valid():
        return render_review(request, campaign, judgment, status=422, decision_form=form)
    following = queue_asked_for(request, campaign, QueueForm(request.GET))[0].after(judgment.pk)
    try:
        said = _decided(request, judgment, form.cleaned_data)
    except REFUSALS as refused:
        form.add_error(None, why_not(refused))
        return render_review(request, campaign, judgment, status=422, decision_form=form)
    messages.success(request, said)
    stays = form.cleaned_data["decision"] == "reopen" or following is None
    return to_review(request, slug, judgment.pk if stays or following is None else following)


def to_review(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    asked = asked_for(request)
    return redirect(reverse("review-judgment", args=[slug, judgment_id]) + (f"?{asked}" if asked else ""))


def _decided(request: HttpRequest, judgment: Judgment, said: dict[str, str]) -> str:
    """Do it, and say what was done."""
    what: dict[str, Any] = {
        "judgment_id": judgment.pk,
        "actor": actor_of(request),
        "now": timezone.now(),
        "seen": said["seen"],
    }
    decision, message = said["decision"], said["message"].strip()
    if decision == "approve":
        approve_judgment(**what)
        return _("Approved.")
    if decision == "reject":
        state = reject_judgment(**what, message=message).state
        return _("Rejected, and asked of somebody else.") if state == "rejected" else _("A second reviewer decides.")
    if decision == "reopen":
        reopen_review(**what, message=message)
        return _("Opened again. It waits for a decision.")
    settle_appeal(**what, granted=decision == "grant", message=message)
    return _("The appeal was granted.") if decision == "grant" else _("The appeal was refused.")


def why_not(refused: Exception) -> str:
    if isinstance(refused, OwnJudgment):
        return _("This is your own judgment. Somebody else decides about it.")
    if isinstance(refused, SameReviewer):
        return _("You rejected this judgment before. Somebody else decides now.")
    if isinstance(refused, NotStanding):
        return _("This judgment was corrected or taken out meanwhile. There is nothing to decide about it.")
    return _("Somebody decided about this judgment meanwhile. Look at it again; nothing was changed.")


@require_POST
@for_reviewers
def others(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    judgment = found_judgment(managed_campaign(slug), judgment_id)
    note_look(item=judgment.item, actor=actor_of(request), now=timezone.now())
    return to_review(request, slug, judgment_id)


@require_POST
@for_reviewers
def comment(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), CommentForm(request.POST)
    judgment = found_judgment(campaign, judgment_id)
    if not form.is_valid():
        return render_review(request, campaign, judgment, status=422, comment_form=form)
    words = form.cleaned_data["words"]
    comment_item(item_id=judgment.item_id, words=words, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("Commented."))
    return to_review(request, slug, judgment_id)


@require_POST
@for_reviewers
def ask(request: HttpRequest, slug: str, judgment_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), AskForm(request.POST)
    judgment = found_judgment(campaign, judgment_id)
    if form.is_valid():
        reason, actor = form.cleaned_data["reason"], actor_of(request)
        try:
            ask_for_judgment(item_id=judgment.item_id, reason=reason, actor=actor, now=timezone.now())
            messages.success(request, _("One more judgment is asked for."))
            return to_review(request, slug, judgment_id)
        except NobodyIsAsked:
            form.add_error(None, _("Everybody has a place of their own at this item; nobody else is asked."))
    return render_review(request, campaign, judgment, status=422, ask_form=form)
