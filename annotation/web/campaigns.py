"""Campaigns: the list, a new one, one with its life, copies and templates. Campaign admins only."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.forms.campaign import NameForm, NewCampaignForm, StateForm
from annotation.models import Board, Campaign
from annotation.policies.launch import hourly_pay, missing_before_launch, never_shown, stops_early
from annotation.policies.templates import starting_points
from annotation.queries.campaigns import (
    is_judged,
    latest_events,
    listed_campaigns,
    progress_of,
    supply_of,
    templates,
    with_progress,
)
from annotation.transitions import CAMPAIGN
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_campaign import copy_campaign
from annotation.use_cases.discard_campaign import NotUntouched, discard_campaign, is_untouched
from annotation.use_cases.launch_campaign import LaunchRefused, TemplateNeverRuns, launch_campaign
from annotation.use_cases.make_template import make_template
from annotation.use_cases.start_campaign import start_campaign
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from foundation.transitions import ForbiddenTransition

PER_PAGE = 30


@require_GET
@for_campaign_admins
def campaigns(request: HttpRequest) -> HttpResponse:
    page = Paginator(listed_campaigns(), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "listed": with_progress(list(page)), "templates": templates()}
    return render(request, "annotation/campaigns/list.html", context)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def new(request: HttpRequest) -> HttpResponse:
    form = NewCampaignForm(starting_points(), templates(), request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "annotation/campaigns/new.html", {"form": form}, status=422 if form.is_bound else 200)
    name, start, actor, now = form.cleaned_data["name"], form.cleaned_data["start"], actor_of(request), timezone.now()
    if start in form.templates:
        campaign = copy_campaign(campaign_id=form.templates[start].pk, name=name, actor=actor, now=now)
    else:
        point = form.points[start]
        settings = {"responses_per_item": point.responses}
        campaign = start_campaign(name=name, draft=point.draft, settings=settings, actor=actor, now=now)
    return redirect("campaign", campaign.slug)


@require_GET
@for_campaign_admins
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    return show_campaign(request, managed_campaign(slug))


@require_GET
@for_campaign_admins
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """The campaign's board, whose address is the arena's to give."""
    board = Board.objects.filter(campaign=managed_campaign(slug)).order_by("pk").first()
    if board is None:
        raise Http404
    return redirect("board", board.slug)


@require_POST
@for_campaign_admins
def change_state(request: HttpRequest, slug: str) -> HttpResponse:
    """A launch, or another arrow of the table of states."""
    found, form = managed_campaign(slug), StateForm(request.POST)
    if not form.is_valid():
        return show_campaign(request, found, form)
    try:
        move(found, form.cleaned_data["to"], form.cleaned_data["reason"], actor_of(request))
    except LaunchRefused:
        form.add_error(None, _("Not launched: something is missing, as listed below."))
    except TemplateNeverRuns:
        form.add_error(None, _("A template never runs. Start a campaign with it."))
    except (ForbiddenTransition, KeyError):
        form.add_error(None, _("The campaign does not go there from where it is now."))
    if form.errors:
        return show_campaign(request, managed_campaign(slug), form)
    return redirect("campaign", slug)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def copy(request: HttpRequest, slug: str) -> HttpResponse:
    return copied(request, slug, is_template=False)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def keep_as_template(request: HttpRequest, slug: str) -> HttpResponse:
    return copied(request, slug, is_template=True)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def discard(request: HttpRequest, slug: str) -> HttpResponse:
    found = managed_campaign(slug)
    refused = not is_untouched(found)
    if request.method == "POST" and not refused:
        try:
            discard_campaign(campaign_id=found.pk, actor=actor_of(request), now=timezone.now())
            return redirect("campaigns")
        except NotUntouched:
            refused = True
    context = {"campaign": found, "refused": refused}
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/campaigns/discard.html", context, status=status)


def move(found: Campaign, to: str, reason: str, actor: Person) -> None:
    """From a draft or a pilot forward is a launch, with all that it asks for; the rest is an arrow."""
    now = timezone.now()
    if to in {CampaignState.PILOT, CampaignState.RUNNING} and found.state != CampaignState.PAUSED:
        launch_campaign(campaign_id=found.pk, to=CampaignState(to), actor=actor, now=now)
    else:
        change_campaign_state(campaign_id=found.pk, to=to, actor=actor, reason=reason, now=now)


def copied(request: HttpRequest, slug: str, *, is_template: bool) -> HttpResponse:
    found = managed_campaign(slug)
    name = found.name if is_template else _("Copy of %(name)s") % {"name": found.name}
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": name[:120]})
    if form.is_valid():
        act = make_template if is_template else copy_campaign
        made = act(campaign_id=found.pk, name=form.cleaned_data["name"], actor=actor_of(request), now=timezone.now())
        return redirect("campaign", made.slug)
    context = {"campaign": found, "form": form, "is_template": is_template}
    return render(request, "annotation/campaigns/copy.html", context, status=422 if form.errors else 200)


def show_campaign(request: HttpRequest, found: Campaign, form: StateForm | None = None) -> HttpResponse:
    supply = supply_of(found)
    goes_to = CAMPAIGN[found.state] if not found.is_template else set()
    before_launch = found.state in {CampaignState.DRAFT, CampaignState.PILOT}
    progress, warnings = progress_of(found), []
    if found.state != CampaignState.CLOSED:
        warnings = [*never_shown(found, supply), *stops_early(found, progress.wanted)]
    context: dict[str, Any] = {
        "campaign": found,
        "form": form or StateForm(),
        "supply": supply,
        "progress": progress,
        "missing": missing_before_launch(found, supply, timezone.now()) if before_launch else [],
        "warnings": warnings,
        "goes_to": {str(state) for state in goes_to},
        "before_launch": before_launch,
        "hourly": hourly_pay(found),
        "judged": is_judged(found),
        "untouched": is_untouched(found),
        "events": latest_events(found),
    }
    return render(request, "annotation/campaigns/overview.html", context, status=422 if form else 200)
