"""Trying a campaign with people who do not exist, before it is launched."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from annotation.forms.dry_run import DryRunForm
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.dry_runs import dry_runs_of
from annotation.questions import InvalidSettings, QuestionDoesNotFit
from annotation.use_cases.cast_shadow import NothingToRehearse
from annotation.use_cases.request_dry_run import request_dry_run
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def dry_run(request: HttpRequest, slug: str) -> HttpResponseBase:
    campaign = managed_campaign(slug)
    form = DryRunForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            request_dry_run(campaign_id=campaign.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
            return redirect("campaign-dry-run", slug)
        except NothingToRehearse:
            form.add_error(None, _("Add items first: a dry run shows them to simulated people."))
        except CampaignIsClosed:
            form.add_error(None, _("The campaign is closed. Copy it to plan another."))
        except (InvalidSettings, QuestionDoesNotFit) as refused:
            form.add_error(None, _("The questions cannot be asked as they stand: %(why)s.") % {"why": refused})
    context = {"campaign": campaign, "form": form, "runs": dry_runs_of(campaign)}
    return render(request, "annotation/campaigns/dry_run.html", context, status=422 if form.errors else 200)


@require_GET
@for_campaign_admins
def dry_run_state(request: HttpRequest, slug: str) -> HttpResponse:
    """The list of dry runs; the page asks again until the newest is done."""
    campaign = managed_campaign(slug)
    return render(
        request, "annotation/campaigns/dry_run.html#runs", {"campaign": campaign, "runs": dry_runs_of(campaign)}
    )
