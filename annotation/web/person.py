"""One person of a campaign: what they did, and blocking, letting work again, and groups. Campaign admins only."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from annotation.enums import RespondentState
from annotation.forms.people import BlockForm, GroupsForm
from annotation.forms.withdrawal import RequestForm
from annotation.models import Campaign, Respondent
from annotation.policies.withdrawals import last_day
from annotation.queries.campaigns import has_test
from annotation.queries.people import block_effect, campaign_people, days_of, events_of, listed_people, skips_of
from annotation.transitions import RESPONDENT
from annotation.use_cases.block_respondent import Unblocked, block_respondent, unblock_respondent
from annotation.use_cases.change_groups import change_groups
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.person_figures import figures_context
from foundation.transitions import ForbiddenTransition


@require_GET
@for_campaign_admins
def person(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    return render_person(request, campaign, found_person(campaign, respondent_id))


@require_POST
@for_campaign_admins
def block(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), BlockForm(request.POST)
    found = found_person(campaign, respondent_id)
    if form.is_valid():
        try:
            if found.state != RespondentState.BLOCKED:
                reason, actor = form.cleaned_data["reason"], actor_of(request)
                taken = block_respondent(respondent_id=found.pk, reason=reason, actor=actor, now=timezone.now())
                messages.success(request, blocked_text(taken))
            return redirect("campaign-person", slug, respondent_id)
        except ForbiddenTransition:
            form.add_error(None, _("This person is not at work any more, and cannot be blocked. Nothing was changed."))
    return render_person(request, campaign, found_person(campaign, respondent_id), state_form=form, status=422)


@require_POST
@for_campaign_admins
def unblock(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), BlockForm(request.POST)
    found = found_person(campaign, respondent_id)
    if form.is_valid():
        try:
            if found.state != RespondentState.ACTIVE:
                reason, actor = form.cleaned_data["reason"], actor_of(request)
                done = unblock_respondent(respondent_id=found.pk, reason=reason, actor=actor, now=timezone.now())
                messages.success(request, unblocked_text(done))
            return redirect("campaign-person", slug, respondent_id)
        except ForbiddenTransition:
            form.add_error(None, _("This person has withdrawn and is not brought back. Nothing was changed."))
    return render_person(request, campaign, found_person(campaign, respondent_id), state_form=form, status=422)


@require_POST
@for_campaign_admins
def groups(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), GroupsForm(request.POST)
    found = found_person(campaign, respondent_id)
    if not form.is_valid():
        return render_person(request, campaign, found, groups_form=form, status=422)
    words = form.cleaned_data["groups"]
    change_groups(respondent_id=found.pk, groups=words, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("Saved."))
    return redirect("campaign-person", slug, respondent_id)


def found_person(campaign: Campaign, respondent_id: int) -> Respondent:
    return get_object_or_404(campaign_people(campaign), pk=respondent_id)


def render_person(
    request: HttpRequest,
    campaign: Campaign,
    found: Respondent,
    *,
    state_form: BlockForm | None = None,
    groups_form: GroupsForm | None = None,
    request_form: RequestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    may_block = RespondentState.BLOCKED in RESPONDENT[found.state]
    context: dict[str, Any] = {
        "campaign": campaign,
        "respondent": found,
        "listed": listed_people([found])[0],
        "events": events_of(found),
        "days": days_of(found),
        "skips": skips_of(found),
        "may_block": may_block,
        "may_return": RespondentState.ACTIVE in RESPONDENT[found.state],
        "effect": block_effect(found) if may_block else None,
        "may_withdraw": RespondentState.WITHDRAWN in RESPONDENT[found.state],
        "request_form": request_form or RequestForm(auto_id="withdraw-%s"),
        "last_day": last_day(campaign, found.consent),
        "state_form": state_form or BlockForm(),
        "has_test": has_test(campaign),
        **figures_context(campaign, found),
        "groups_form": groups_form or GroupsForm(initial={"groups": found.groups}),
    }
    return render(request, "annotation/people/person.html", context, status=status)


def unblocked_text(done: Unblocked) -> str:
    back = ngettext("%(count)d judgment counts again.", "%(count)d judgments count again.", done.put_back) % {
        "count": done.put_back
    }
    out = ngettext(
        "%(count)d stays out: somebody else was asked in its place.",
        "%(count)d stay out: others were asked in their place.",
        done.stay_out,
    ) % {"count": done.stay_out}
    parts = [_("They can work again."), *([back] if done.put_back else []), *([out] if done.stay_out else [])]
    return " ".join(parts)


def blocked_text(taken: int) -> str:
    text = ngettext("Blocked. %(count)d judgment was taken out.", "Blocked. %(count)d judgments were taken out.", taken)
    return text % {"count": taken}
