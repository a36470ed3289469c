"""The way in of people whom a study sends, and their way back to it with a code."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from annotation.enums import Participation, RespondentState
from annotation.models import Campaign, Respondent, Study, StudyParticipant
from annotation.policies.study_links import Sent, read_sent, way_back
from annotation.queries.studies import first_items, participant_of
from annotation.use_cases.end_participation import StillAtWork, code_of, end_participation
from annotation.use_cases.join_study import Gone, SessionOfAnother, StudyNotOpen, TookPartBefore, join_study, user_of
from annotation.web.access import for_signed_in
from annotation.web.work import never_stored, own_respondent
from foundation.requests import HtmxRequest

# Whoever a study sends has nothing to sign in with; the link is what knows them.
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Looking changes nothing: a link that is opened ahead takes no place. Who goes on by the button is let in."""
    campaign = get_object_or_404(Campaign, slug=slug, shadow_of__isnull=True, is_template=False)
    sent = read_sent(request.GET)
    if sent is None:
        return refused(request, _("The link is not complete. Open it from Prolific, where it names you and the study."))
    study = Study.objects.filter(campaign=campaign, external_id=sent.study).first()
    if study is None:
        return refused(request, _("This campaign knows no such study. Please tell whoever runs it at Prolific."))
    if isinstance(request.user, User) and not is_sent(request.user):
        return refused(request, _("You are signed in as somebody else here. Sign out first, then open the link again."))
    if request.method == "POST":
        return let_in(request, study, sent)
    return never_stored(render(request, "annotation/studies/enter.html", entry_context(campaign, study)))


def entry_context(campaign: Campaign, study: Study) -> dict[str, Any]:
    before = first_items(campaign)
    return {
        "campaign": campaign,
        "study": study,
        "before": before,
        "items": before + (study.judgments or 0),
        "has_more": bool(campaign.gold_share or campaign.attention_share or campaign.repeat_share),
    }


def let_in(request: HttpRequest, study: Study, sent: Sent) -> HttpResponseBase:
    try:
        participant = join_study(study_id=study.pk, sent=sent, now=timezone.now())
        if participant.respondent_id is None:
            return show_way_back(request, study.campaign, participant)
        user = user_of(participant)
    except StudyNotOpen:
        title = _("Not open at the moment")
        text = _("This campaign has not begun, or takes a break. Try again later with the same link.")
        return refused(request, text, title=title, status=409)
    except SessionOfAnother:
        return refused(request, _("This link was made for somebody else. Open your own from Prolific."), status=409)
    except TookPartBefore:
        return refused(request, _("You took part in this campaign before, by another study."), status=409)
    except Gone:
        return refused(
            request, _("What you did here was erased at your wish, and you are not known any more."), status=409
        )
    login(request, user, backend=BACKEND)
    return redirect("study-leave" if code_of(participant) else "work-campaign", study.campaign.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@for_signed_in
def leave(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """The way back. It is one's own as long as it is asked for, also when the window was closed before."""
    respondent = own_respondent(request, slug)
    participant = participant_of(respondent)
    if participant is None:
        return refused(request, _("No study sent you here, so there is no code to go back with."))
    if request.method == "POST":
        try:
            end_participation(respondent=respondent, now=timezone.now())
        except StillAtWork:
            return redirect("work-campaign", slug)
        return redirect("study-leave", slug)
    if not code_of(participant):
        return redirect("work-campaign", slug)
    return show_way_back(request, respondent.campaign, participant)


def show_way_back(request: HttpRequest, campaign: Campaign, participant: StudyParticipant) -> HttpResponse:
    code = code_of(participant)
    became = participant.respondent.state if participant.respondent is not None else ""
    context = {
        "campaign": campaign,
        "state": participant.state,
        "is_blocked": became == RespondentState.BLOCKED,
        "has_withdrawn": became == RespondentState.WITHDRAWN,
        "states": {state.name: state.value for state in Participation},
        "code": code,
        "address": way_back(settings.PROLIFIC_RETURN_URL, code),
    }
    return never_stored(render(request, "annotation/studies/leave.html", context))


def is_sent(user: User) -> bool:
    """Whether the user is somebody whom a study sent; a shared machine may have more than one."""
    return Respondent.objects.filter(person__user=user, participant__isnull=False).exists()


def refused(request: HttpRequest, text: str, *, title: str = "", status: int = 404) -> HttpResponse:
    context = {"text": text, "title": title or _("This link does not work")}
    return never_stored(render(request, "annotation/studies/refused.html", context, status=status))
