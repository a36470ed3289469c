"""Withdrawing: an annotator's own page, the button of whoever runs the campaign, and the release of own texts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from annotation.datasets.withdrawn import versions_with
from annotation.enums import Participation, RespondentState
from annotation.forms.withdrawal import OwnTextsForm, RequestForm, WithdrawForm
from annotation.models import Respondent
from annotation.policies.withdrawals import is_open, last_day
from annotation.queries.people import standing_answers_of
from annotation.queries.sessions import step_of
from annotation.queries.studies import participant_of
from annotation.use_cases.release_texts import release_texts
from annotation.use_cases.withdraw_consent import TooLateToWithdraw, withdraw_consent
from annotation.web.access import for_campaign_admins, for_signed_in
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.person import found_person, render_person
from annotation.web.work import never_stored, own_respondent
from foundation.requests import HtmxRequest


@require_http_methods(["GET", "POST"])
@for_signed_in
def withdraw(request: HtmxRequest, slug: str) -> HttpResponseBase:
    respondent = own_respondent(request, slug)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            withdraw_consent(respondent_id=respondent.pk, actor=respondent.person, now=timezone.now())
            return redirect("work-withdraw", slug)
        except TooLateToWithdraw:
            form.add_error(None, _("The last day for withdrawals is over. Nothing was changed."))
    return _show(request, respondent, form)


@require_POST
@for_signed_in
def own_texts(request: HtmxRequest, slug: str) -> HttpResponseBase:
    respondent, form = own_respondent(request, slug), OwnTextsForm(request.POST)
    released = form.is_valid() and form.cleaned_data["releases_texts"]
    release_texts(respondent_id=respondent.pk, released=released, now=timezone.now())
    said = _("Saved. What you write may be published.") if released else _("Saved. What you write is not published.")
    messages.success(request, said)
    return redirect("work-history", slug)


@require_POST
@for_campaign_admins
def withdraw_on_request(request: HttpRequest, slug: str, respondent_id: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), RequestForm(request.POST, auto_id="withdraw-%s")
    found = found_person(campaign, respondent_id)
    if not form.is_valid():
        return render_person(request, campaign, found, request_form=form, status=422)
    withdrawn = withdraw_consent(
        respondent_id=found.pk,
        actor=actor_of(request),
        reason=form.cleaned_data["reason"],
        on_request=True,
        now=timezone.now(),
    )
    if found.state != RespondentState.WITHDRAWN:
        count = withdrawn.judgments
        text = ngettext(
            "Withdrawn. %(count)d judgment was taken out.", "Withdrawn. %(count)d judgments were taken out.", count
        )
        messages.success(request, text % {"count": count})
    return redirect("campaign-person", slug, respondent_id)


def _show(request: HtmxRequest, respondent: Respondent, form: WithdrawForm) -> HttpResponse:
    last = last_day(respondent.campaign, respondent.consent)
    participant = participant_of(respondent)
    step = step_of(respondent)
    context = {
        "campaign": respondent.campaign,
        "respondent": respondent,
        "form": form,
        "last_day": last,
        "may_withdraw": is_open(last, timezone.now()),
        "has_withdrawn": respondent.state == RespondentState.WITHDRAWN,
        "answers": standing_answers_of(respondent).count(),
        "versions": len(versions_with(respondent)),
        "has_draw": step is not None and step.session.endowment is not None,
        "is_sent": participant is not None,
        "is_at_work": participant is not None and participant.state == Participation.STARTED,
    }
    return never_stored(render(request, "annotation/work/withdraw.html", context, status=422 if form.errors else 200))
