"""Gold made of responses: asked for, made by a worker, and checked by an admin before anybody is measured by it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.forms.generate import CheckForm, GoldForm
from annotation.models import Campaign
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.gold import gold_generations, proposals, proposed_items
from annotation.use_cases.judge_gold import judge_gold
from annotation.use_cases.request_gold import CannotMakeGold, refuse_if_nothing_is_expected, request_gold
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from foundation.idempotency import IdempotencyError, mint_key

SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def gold(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = GoldForm(request.POST) if request.method == "POST" else new_form()
    if form.is_valid():
        try:
            request_gold(campaign_id=campaign.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data)
            return redirect("campaign-gold", slug)
        except CannotMakeGold:
            form.add_error(None, _("No required question of this campaign says which response is better."))
        except (CampaignIsClosed, IdempotencyError) as error:
            form.add_error(None, str(error))
    status = 422 if form.errors else 200
    return render(request, "annotation/items/gold.html", gold_context(campaign) | {"form": form}, status=status)


@require_GET
@for_campaign_admins
def gold_status(request: HttpRequest, slug: str) -> HttpResponse:
    """What was proposed so far; asks for itself while a worker makes more."""
    return render(request, "annotation/items/gold.html#proposed", gold_context(managed_campaign(slug)))


@require_POST
@for_campaign_admins
def gold_check(request: HttpRequest, slug: str) -> HttpResponse:
    """One decision about one proposal or several; the page that follows has those that are left."""
    campaign = managed_campaign(slug)
    proposed = proposed_items(campaign).values_list("pk", flat=True)
    form = CheckForm(list(proposed), data=request.POST)
    if form.is_valid() and judge_gold(
        campaign_id=campaign.pk,
        item_ids=form.cleaned_data["items"],
        accept=form.cleaned_data["verdict"] == "accept",
        actor=actor_of(request),
        now=timezone.now(),
    ):
        return redirect("campaign-gold", slug)
    context = gold_context(campaign) | {"form": new_form(), "refused": True}
    return render(request, "annotation/items/gold.html", context, status=422)


def new_form() -> GoldForm:
    return GoldForm(initial={"key": mint_key()})


def gold_context(campaign: Campaign) -> dict[str, Any]:
    generations = gold_generations(campaign)
    waiting = proposed_items(campaign)
    return {
        "campaign": campaign,
        "generations": generations,
        "is_made": any(each.state == "running" for each in generations),
        "waiting": waiting.count(),
        "proposals": proposals(list(waiting.select_related("prompt")[:SHOWN])),
        "can_be_made": can_be_made(campaign),
    }


def can_be_made(campaign: Campaign) -> bool:
    try:
        refuse_if_nothing_is_expected(campaign)
    except CannotMakeGold:
        return False
    return True
