"""Batches of judgments that are accepted or returned together: looked at by reviewers, settled by campaign admins."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from annotation.forms.reviews import BatchForm, ReturnForm
from annotation.models import Batch, Campaign, Respondent
from annotation.policies.flags import reasons_to_look
from annotation.queries.batches import checkup_of, listed_batches, sample_of
from annotation.queries.people import groups_in_use
from annotation.queries.reviews import Queue, listed_judgments
from annotation.use_cases.accept_batch import accept_batch
from annotation.use_cases.make_batch import NothingToReview, make_batch
from annotation.use_cases.return_batch import return_batch
from annotation.use_cases.summarise_quality import summary_for
from annotation.web.access import for_campaign_admins, for_reviewers
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.reviews import sees_names
from annotation.web.tables import Column, Table, csv_response
from annotation.web.watching_charts import agreement_rows, alpha_axis
from annotation.web.watching_tables import question_titles
from foundation.transitions import ForbiddenTransition

COLUMNS = (
    Column("batch", "", "count", lambda each: each.batch.number),
    Column("state", "", "text", lambda each: each.batch.state),
    Column("made_at", "", "moment", lambda each: each.batch.created_at),
    Column("settled_at", "", "moment", lambda each: each.batch.settled_at),
    Column("judgments", "", "count", lambda each: each.judgments),
    Column("accepted", "", "count", lambda each: each.accepted),
    Column("waiting", "", "count", lambda each: each.waiting),
    Column("rejected", "", "count", lambda each: each.rejected),
    Column("returned", "", "count", lambda each: each.returned),
    Column("cost", "", "plain", lambda each: each.cost),
    Column("cost_per_accepted", "", "plain", lambda each: each.per_accepted),
)


@require_GET
@for_reviewers
def batches(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    listed = listed_batches(campaign, Batch.objects.filter(campaign=campaign))
    if request.GET.get("format") == "csv":
        return csv_response(Table("batches", "", COLUMNS, listed), name=campaign.slug)
    return render(request, "annotation/review/batches.html", list_context(request, campaign, listed=listed))


def list_context(request: HttpRequest, campaign: Campaign, **context: Any) -> dict[str, Any]:
    base = {"campaign": campaign, "may_settle": sees_names(request)}
    if "listed" not in context:
        context["listed"] = listed_batches(campaign, Batch.objects.filter(campaign=campaign))
    return base | {"form": BatchForm(groups=groups_in_use(campaign))} | context


@require_POST
@for_campaign_admins
def make(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = BatchForm(request.POST, groups=groups_in_use(campaign))
    if form.is_valid():
        try:
            batch = make_batch(
                campaign_id=campaign.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data
            )
            return redirect("batch", slug, batch.number)
        except NothingToReview:
            form.add_error(None, _("Nothing waits for a decision that is not in a batch."))
    return render(request, "annotation/review/batches.html", list_context(request, campaign, form=form), status=422)


@require_GET
@for_reviewers
def batch(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    return render_batch(request, campaign, found_batch(campaign, number))


@require_POST
@for_campaign_admins
def accept(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    found = found_batch(campaign, number)
    try:
        settled = accept_batch(batch_id=found.pk, actor=actor_of(request), now=timezone.now())
    except ForbiddenTransition:
        return render_batch(request, campaign, found_batch(campaign, number), status=422, problem=settled_before())
    messages.success(request, approved_text(settled.judgments))
    return redirect("batch", slug, number)


@require_POST
@for_campaign_admins
def send_back(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    campaign, form, problem = managed_campaign(slug), ReturnForm(request.POST), ""
    found = found_batch(campaign, number)
    if form.is_valid():
        try:
            message, actor = form.cleaned_data["message"], actor_of(request)
            settled = return_batch(batch_id=found.pk, message=message, actor=actor, now=timezone.now())
            messages.success(request, returned_text(settled.judgments))
            return redirect("batch", slug, number)
        except ForbiddenTransition:
            problem = settled_before()
    return render_batch(request, campaign, found_batch(campaign, number), status=422, problem=problem, form=form)


def found_batch(campaign: Campaign, number: int) -> Batch:
    return get_object_or_404(Batch.objects.select_related("campaign"), campaign=campaign, number=number)


def render_batch(
    request: HttpRequest,
    campaign: Campaign,
    found: Batch,
    *,
    form: ReturnForm | None = None,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    [listed] = listed_batches(campaign, Batch.objects.filter(pk=found.pk))
    checkup, titles = checkup_of(found), question_titles(campaign)
    context = {
        "campaign": campaign,
        "listed": listed,
        "checkup": checkup,
        "agreement": agreement_rows(checkup.agreement, lambda each: titles.get(each.question, each.question)),
        "axis": alpha_axis(),
        "flagged": flagged_in(campaign, checkup.by_person),
        "failed": listed_judgments(checkup.failed[-20:][::-1], Queue([])),
        "sample": listed_judgments(sample_of(found), Queue([])),
        "may_settle": sees_names(request),
        "form": form or ReturnForm(),
        "problem": problem,
    }
    return render(request, "annotation/review/batch.html", context, status=status)


def flagged_in(campaign: Campaign, by_person: dict[int, int]) -> list[dict[str, Any]]:
    """Those with judgments in the batch whom there is a reason to look at, with how many are theirs."""
    summary = summary_for(campaign=campaign, now=timezone.now())
    figures = [each for each in summary.annotators if each.respondent in by_person] if summary else []
    reasons = {each.respondent: reasons_to_look(each, pass_mark=campaign.pass_mark) for each in figures}
    people = Respondent.objects.only("pseudonym").in_bulk([pk for pk, found in reasons.items() if found])
    return [{"respondent": person, "judgments": by_person[pk], "reasons": reasons[pk]} for pk, person in people.items()]


def settled_before() -> str:
    return _("This batch was accepted or returned meanwhile. Nothing was changed.")


def approved_text(count: int) -> str:
    text = ngettext("%(count)d judgment was approved.", "%(count)d judgments were approved.", count)
    return text % {"count": count}


def returned_text(count: int) -> str:
    text = ngettext("%(count)d judgment was returned.", "%(count)d judgments were returned.", count)
    return text % {"count": count}
