"""Where a campaign's next questions go, and why; its admins choose what they aim at."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from annotation.forms.campaign import POLICY_NAMES
from annotation.models import Campaign
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.selection import Outlook, outlook_of
from annotation.selection import POLICIES, UnknownPolicy
from annotation.use_cases.aim_selection import aim_selection
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign

WHY = {
    "newcomer": gettext_lazy("One of them is new"),
    "alike": gettext_lazy("Every pair comes alike, but for weights"),
    "least": gettext_lazy("Pairs that were asked about least come first"),
    "unmet": gettext_lazy("They have not met"),
    "open": gettext_lazy("Their order is open"),
    "close": gettext_lazy("Their order is open, and other pairs tell more"),
    "floor": gettext_lazy("Their order is clear: what remains is chance"),
}
NOT_SAID = {
    "few": gettext_lazy("Not known yet: there are no votes."),
    "pairs": gettext_lazy("Not given: pairs have effects of their own, which one strength per model does not explain."),
    "beyond": gettext_lazy("Not given: a hundred times the votes, drawn alike, would not do."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def selection(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    if campaign.is_arena or campaign.is_template:
        raise Http404
    problem = aimed(request, campaign) if request.method == "POST" else ""
    if request.method == "POST" and not problem:
        messages.success(request, _("Saved. It holds from the next item on."))
        return redirect("campaign-selection", slug)
    context = {"section": "selection"} | selection_context(campaign, outlook_of(campaign), problem)
    return render(request, "annotation/campaigns/selection.html", context, status=422 if problem else 200)


def aimed(request: HttpRequest, campaign: Campaign) -> str:
    """Sets what the next questions aim at; else says why not."""
    try:
        policy = request.POST.get("policy", "")
        aim_selection(campaign_id=campaign.pk, policy=policy, actor=actor_of(request), now=timezone.now())
    except UnknownPolicy:
        return _("Choose one of the aims in the list. Nothing was changed.")
    except CampaignIsClosed:
        return _("It is closed and asks nothing more. Nothing was changed.")
    return ""


def selection_context(campaign: Campaign, outlook: Outlook, problem: str) -> dict[str, Any]:
    """What the page shows of any campaign, an arena's too."""
    return {
        "campaign": campaign,
        "outlook": outlook,
        "pairs": [(each, WHY[each.why]) for each in outlook.pairs],
        "not_said": NOT_SAID.get(outlook.saved.why, ""),
        "aims": [(name, POLICY_NAMES.get(name, name)) for name in POLICIES],
        "aim": POLICY_NAMES.get(campaign.policy, campaign.policy),
        "problem": problem,
    }
