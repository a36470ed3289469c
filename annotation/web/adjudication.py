"""An expert answers an item to settle it, having seen what others said or not. Reviewers and campaign admins only."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from annotation.enums import AssignmentState
from annotation.forms import JudgmentForm
from annotation.models import Assignment, Campaign, Impression, Item
from annotation.queries.answered import said_in
from annotation.queries.reviews import looks_of, others_on, saw_others
from annotation.queries.tasks import Task, task_of
from annotation.questions import InvalidAnswers
from annotation.use_cases.adjudicate_item import adjudicate_item
from annotation.use_cases.leave_adjudication import leave_adjudication
from annotation.use_cases.start_adjudication import start_adjudication
from annotation.use_cases.submit_judgment import (
    AlreadyAnswered,
    CampaignClosed,
    ItemNotOpen,
    LeaseExpired,
    NotPlayed,
    NotYourAssignment,
    Process,
)
from annotation.web.access import for_reviewers
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.work import judgment_form, lease_named, never_stored
from foundation.idempotency import BadKey, InFlight, KeyReused, mint_key
from foundation.requests import HtmxRequest

REFUSALS = (AlreadyAnswered, CampaignClosed, ItemNotOpen, LeaseExpired, NotYourAssignment, InvalidAnswers)


@require_POST
@for_reviewers
def start(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    item = get_object_or_404(Item, campaign=managed_campaign(slug), pk=item_id)
    sees = request.POST.get("see_others") == "yes"
    try:
        start_adjudication(item_id=item.pk, see_others=sees, actor=actor_of(request), now=timezone.now())
    except REFUSALS:
        messages.warning(request, _("You have answered this item, or it takes no judgments now."))
        return redirect("review-queue", slug)
    return redirect("adjudicate", slug, item_id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def adjudicate(request: HtmxRequest, slug: str, item_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    assignment = held_by(request, campaign, item_id)
    task = task_of(assignment.respondent, assignment.pk) if assignment else None
    if assignment is None or task is None:
        return never_stored(render(request, "annotation/review/not_started.html", {"campaign": campaign}, status=404))
    form = judgment_form(task, request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        problem = store(request, assignment, form)
        if not problem:
            messages.success(request, _("The item is settled."))
            return redirect("review-queue", slug)
    context = page_context(request, campaign, task, form) | {"problem": problem}
    status = 422 if request.method == "POST" else 200
    return never_stored(render(request, "annotation/review/adjudicate.html", context, status=status))


@require_POST
@for_reviewers
def leave(request: HtmxRequest, slug: str, item_id: int) -> HttpResponse:
    """Back to the queue without an answer."""
    item = get_object_or_404(Item, campaign=managed_campaign(slug), pk=item_id)
    assignment = held_by(request, item.campaign, item.pk)
    try:
        if assignment is None:
            raise NotYourAssignment("nothing is held of this item")
        leave_adjudication(
            assignment_id=assignment.pk,
            lease_token=lease_named(request),
            respondent=assignment.respondent,
            now=timezone.now(),
        )
    except (NotYourAssignment, LeaseExpired):
        messages.warning(request, _("You do not hold this item any more, or hold it anew in another tab."))
    else:
        messages.success(request, _("The item is given back."))
    return redirect("review-queue", slug)


def held_by(request: HttpRequest, campaign: Campaign, item_id: int) -> Assignment | None:
    held = Assignment.objects.select_related("respondent__person", "respondent__campaign")
    return held.filter(
        item=item_id,
        item__campaign=campaign,
        respondent__person=actor_of(request),
        state=AssignmentState.OPEN,
        lease_expires_at__gt=timezone.now(),
    ).first()


def page_context(request: HttpRequest, campaign: Campaign, task: Task, form: JudgmentForm) -> dict[str, Any]:
    actor, shown = actor_of(request), Impression.objects.filter(assignment=task.assignment_id).latest("pk")
    item_id = shown.item_id
    sees_others = any("others" in look for look in looks_of(item_id, actor))
    others = others_on(item_id, order=shown.order) if sees_others else []
    said = said_in([other.judgment for other in others], order=shown.order)
    return {
        "campaign": campaign,
        "item_id": item_id,
        "task": task,
        "form": form,
        "key": mint_key(),
        "sees_others": sees_others,
        "has_looked": saw_others(item_id, actor),
        "others": [(other, said[other.judgment.pk]) for other in others],
    }


def store(request: HtmxRequest, assignment: Assignment, form: JudgmentForm) -> str:
    """Why it could not be stored; empty where it was."""
    try:
        adjudicate_item(
            assignment_id=assignment.pk,
            lease_token=lease_named(request),
            key=request.POST.get("key", ""),
            respondent=assignment.respondent,
            actor=actor_of(request),
            answers=form.answers,
            process=Process(**form.process),
            now=timezone.now(),
        )
    except NotPlayed:
        return _("Play the sounds and films further, then settle it.")
    except (*REFUSALS, InFlight, KeyReused, BadKey):
        return _("This answer could not be stored: the item was changed elsewhere. Look at it again.")
    return ""
