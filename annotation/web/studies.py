"""Studies of Prolific that send people into a campaign: set up, changed. Campaign admins only."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from annotation.forms.study import CodesForm, StudyForm
from annotation.models import Campaign, Study
from annotation.policies.drafts import CampaignIsClosed
from annotation.policies.study_links import way_in
from annotation.queries.studies import listed_studies, studies_of
from annotation.use_cases.invite_people import BadInvitation
from annotation.use_cases.save_study import PlacesTaken, StudyExists, change_study, make_study
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def studies(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = StudyForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and made(request, campaign, form):
        return redirect("campaign-studies", slug)
    context: dict[str, Any] = {
        "campaign": campaign,
        "studies": studies_of(campaign, timezone.now()),
        "form": form,
        "way_in": way_in(request.build_absolute_uri(reverse("study", args=[slug]))),
    }
    return render(request, "annotation/studies/list.html", context, status=422 if form.is_bound else 200)


def made(request: HttpRequest, campaign: Campaign, form: StudyForm) -> bool:
    external_id, actor = form.cleaned_data["external_id"], actor_of(request)
    try:
        make_study(
            campaign_id=campaign.pk, external_id=external_id, values=form.values, actor=actor, now=timezone.now()
        )
    except StudyExists:
        form.add_error("external_id", _("This campaign has that study already."))
        return False
    except (BadInvitation, CampaignIsClosed):
        form.add_error(None, _("Nobody can be let in: the campaign is closed, or a template."))
        return False
    messages.success(request, _("Made. Enter the address below as that of the study at Prolific."))
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def study(request: HttpRequest, slug: str, study_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    found = get_object_or_404(Study.objects.select_related("invitation"), campaign=campaign, pk=study_id)
    form = CodesForm.of(found, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            change_study(study_id=found.pk, values=form.values, actor=actor_of(request), now=timezone.now())
            messages.success(request, _("Saved."))
            return redirect("campaign-studies", slug)
        except PlacesTaken as taken:
            words = ngettext("%(count)d place is taken.", "%(count)d places are taken.", taken.count)
            form.add_error("places", words % {"count": taken.count})
    context = {"campaign": campaign, "study": found, "form": form, "listed": listed_studies([found], timezone.now())[0]}
    return render(request, "annotation/studies/study.html", context, status=422 if form.is_bound else 200)
