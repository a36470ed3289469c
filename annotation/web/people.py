"""The people of a campaign: the list, and invitations. Campaign admins only."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from annotation.forms.people import InvitationForm, PeopleFilterForm
from annotation.models import Campaign, Invitation, Respondent
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.people import campaign_invitations, campaign_people, groups_in_use, listed_people
from annotation.use_cases.invite_people import BadInvitation, InvitedBefore, invite_people, revoke_invitation
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.tables import Column, Table, csv_response
from foundation.idempotency import IdempotencyError, mint_key

ON_A_PAGE = 50
# As they stand in the downloaded file.
COLUMNS = (
    Column("pseudonym", "", "text", lambda each: each.respondent.pseudonym),
    Column("username", "", "text", lambda each: each.username),
    Column("kind", "", "text", lambda each: each.respondent.kind),
    Column("groups", "", "text", lambda each: ", ".join(each.respondent.groups)),
    Column("state", "", "text", lambda each: each.respondent.state),
    Column("came_by", "", "text", lambda each: each.came_by),
    Column("joined_at", "", "moment", lambda each: each.respondent.created_at),
    Column("consented_at", "", "moment", lambda each: each.respondent.consented_at),
    Column("qualified_under_guidelines", "", "plain", lambda each: each.qualified_under),
    Column("judgments", "", "count", lambda each: each.judgments),
    Column("judgments_taken_out", "", "count", lambda each: each.taken_out),
    Column("skips", "", "count", lambda each: each.skips),
    Column("median_seconds", "", "seconds", lambda each: each.median_seconds),
    Column("last_seen_at", "", "moment", lambda each: each.seen_at),
)


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def people(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    if request.method == "POST":
        return invite(request, campaign)
    filters = PeopleFilterForm(request.GET, groups=groups_in_use(campaign))
    chosen = campaign_people(campaign, **filters.chosen)
    if request.GET.get("format") == "csv":
        return csv_response(Table("people", "", COLUMNS, listed_people(list(chosen))), name=campaign.slug)
    return render_list(request, campaign, filters=filters, chosen=chosen)


def invite(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The answer itself holds the link: it is kept nowhere, so it cannot be shown on another page."""
    now = timezone.now()
    form = InvitationForm(request.POST, now=now)
    if not form.is_valid():
        return render_list(request, campaign, form=form, status=422)
    try:
        made, token = invite_people(campaign_id=campaign.pk, actor=actor_of(request), now=now, **form.cleaned_data)
    except InvitedBefore as before:
        messages.warning(
            request, _("“%(name)s” was made before. Its link was shown then.") % {"name": before.invitation}
        )
        return redirect("campaign-people", campaign.slug)
    except (BadInvitation, CampaignIsClosed, IdempotencyError) as refusal:
        form.add_error(None, refused(refusal))
        form.renew_key(mint_key())
        return render_list(request, campaign, form=form, status=422)
    link = request.build_absolute_uri(reverse("work-join", args=[token]))
    return render_list(request, campaign, made=made, link=link)


@require_POST
@for_campaign_admins
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, campaign=managed_campaign(slug), pk=invitation_id)
    revoke_invitation(invitation_id=invitation.pk, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("“%(name)s” lets nobody in any more. Who joined by it stays.") % {"name": invitation})
    return redirect("campaign-people", slug)


def refused(refusal: Exception) -> str:
    if isinstance(refusal, CampaignIsClosed):
        return _("The campaign is closed: nobody joins it any more.")
    if isinstance(refusal, BadInvitation):
        return _("Nobody can be invited like this. A template, for one, takes nobody.")
    return _("This form was sent a moment ago. Send it again if you want another invitation.")


def render_list(
    request: HttpRequest,
    campaign: Campaign,
    *,
    filters: PeopleFilterForm | None = None,
    chosen: QuerySet[Respondent] | None = None,
    form: InvitationForm | None = None,
    made: Invitation | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    filters = filters or PeopleFilterForm({}, groups=groups_in_use(campaign))
    page = Paginator(chosen if chosen is not None else campaign_people(campaign), ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    context: dict[str, Any] = {
        "campaign": campaign,
        "filters": filters,
        "filtered": any(filters.chosen.values()),
        "page": page,
        "listed": listed_people(list(page)),
        "invitations": campaign_invitations(campaign, now),
        "form": form or new_form(now),
        "made": made,
        "link": link,
    }
    response = render(request, "annotation/people/list.html", context, status=status)
    if link:
        patch_cache_control(response, no_store=True)
    return response


def new_form(now: datetime) -> InvitationForm:
    return InvitationForm(now=now, initial={"key": mint_key()})
