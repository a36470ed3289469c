"""What annotators send: answers, drafts, skips, flags and corrections. Views parse, call one use case and render."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from annotation.enums import FlagReason
from annotation.models import Respondent
from annotation.policies.breaks import is_due
from annotation.policies.stages import READS
from annotation.queries.feedback import feedback_on
from annotation.queries.tasks import Task, own_answer, task_of
from annotation.queries.work import position_of
from annotation.questions import InvalidAnswers
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.give_back_once import give_back_once
from annotation.use_cases.lock_session import AnswersLocked, is_locked
from annotation.use_cases.offer_break import offer_break
from annotation.use_cases.save_draft import DraftTooLong, StaleDraft, keep_typed, save_draft
from annotation.use_cases.submit_judgment import (
    AlreadyAnswered,
    CampaignClosed,
    CampaignPaused,
    ItemNotOpen,
    LeaseExpired,
    NotPlayed,
    NotYourAssignment,
    Process,
)
from annotation.use_cases.submit_work import NotActive, Submitted, submit_work
from annotation.use_cases.supersede_judgment import AlreadySuperseded
from annotation.web.access import for_signed_in
from annotation.web.work import (
    item_context,
    judgment_form,
    lease_named,
    never_stored,
    own_respondent,
    show_item_page,
    show_next,
)
from foundation.idempotency import BadKey, InFlight, KeyReused, mint_key
from foundation.requests import HtmxRequest, number_posted

# Reasons to skip; a flag has its own. Nobody is asked to justify a skip in words.
SKIP_REASONS = ("cannot_judge", "language", "too_long", "unwell", "other")
NOT_TYPED = frozenset({"csrfmiddlewaretoken", "key", "lease_token", "draft_version", "ahead"})
ANSWERED_BEFORE = gettext_lazy(
    "You answered that item before; the first answer counts. You can correct it in your history."
)
NOT_CORRECTED = (CampaignClosed, NotActive, AlreadySuperseded, AnswersLocked)
PASSED = gettext_lazy("You have passed the test. From now on your answers count.")
TOO_LATE = gettext_lazy("The campaign was closed before this answer came in, so it is not stored.")
# By its first that fits: what the header X-Refused tells the page's script. Only "paused" and "again" may be sent anew.
REFUSED_AS: Mapping[type[Exception], str] = {
    InFlight: "again",
    CampaignPaused: "paused",
    CampaignClosed: "closed",
    NotActive: "ended",
    AnswersLocked: "locked",
    AlreadyAnswered: "answered",
    KeyReused: "answered",
    LeaseExpired: "late",
    ItemNotOpen: "gone",
    NotYourAssignment: "gone",
    BadKey: "gone",
}
LOCKED = gettext_lazy("Your answers are locked for the draw. Nothing of them can be changed any more.")


@require_POST
@for_signed_in
def submit(request: HtmxRequest, slug: str, assignment_id: int) -> HttpResponseBase:
    respondent = own_respondent(request, slug)
    task = task_of(respondent, assignment_id)
    if task is None:
        raise Http404
    form = judgment_form(task, request.POST)
    if form.is_valid():
        # Sent again, it is the same answer once more: the use case tells the two apart by the key.
        return _store(request, respondent, task, form.answers, Process(**form.process))
    if not task.is_open:
        return _refused(request, respondent, "answered", ANSWERED_BEFORE)
    return show_item_page(request, respondent, assignment_id, status=422, form=form)


def _store(
    request: HtmxRequest, respondent: Respondent, task: Task, answers: dict[str, Any], process: Process
) -> HttpResponseBase:
    try:
        submitted = submit_work(
            assignment_id=task.assignment_id,
            lease_token=lease_named(request),
            key=request.POST.get("key", ""),
            respondent=respondent,
            answers=answers,
            process=process,
            typed=typed_values(request),
            now=timezone.now(),
        )
    except NotPlayed:
        # What this person holds is the item that they were refused for.
        return show_next(request, respondent, status=422, problem=_("Play the sounds and films further, then submit."))
    except tuple(REFUSED_AS) as refused:
        if isinstance(refused, CampaignClosed):
            keep_typed(
                assignment_id=task.assignment_id,
                respondent=respondent,
                values=typed_values(request),
                now=timezone.now(),
            )
        return _refused(request, respondent, _refused_as(refused), _why_refused(refused))
    looks = task.is_open and is_due(task.done + 1)
    offered = looks and offer_break(respondent_id=respondent.pk, now=timezone.now()) is not None
    return _after(request, respondent, submitted, offered)


def _refused(request: HtmxRequest, respondent: Respondent, code: str, problem: Any) -> HttpResponseBase:
    """What is open to them now, with why the answer is not stored; the page is 409 or 422, never 200."""
    response = show_next(request, respondent, status=_conflict(request), problem=problem)
    response["X-Refused"] = code
    return response


def _refused_as(refused: Exception) -> str:
    return next(code for kind, code in REFUSED_AS.items() if isinstance(refused, kind))


def _after(request: HtmxRequest, respondent: Respondent, submitted: Submitted, offered: bool) -> HttpResponseBase:
    """The next item, or a word that all is stored where the page has the next one already."""
    if submitted.right is not None or submitted.explanation:
        feedback = feedback_on(submitted.judgment)
        context = {"campaign": respondent.campaign, "submitted": submitted, "feedback": feedback}
        response = never_stored(render(request, "annotation/work/feedback.html", context))
        response["X-Stored"] = str(submitted.judgment.pk)
        return response
    if request.htmx and request.POST.get("ahead") and not submitted.finished and not has_to_read(respondent):
        context = {"campaign": respondent.campaign, "stored": submitted.judgment, "break_offered": offered}
        response = render(request, "annotation/work/item.html#stored", context)
        response["X-Stored"] = str(submitted.judgment.pk)
        response["X-Next"] = "ahead"
        return never_stored(response)
    if request.htmx or submitted.finished == "qualified":
        # What ended a test is not taken back.
        said = PASSED if submitted.finished == "qualified" else ""
        told: dict[str, Any] = {"is_final": bool(said), "said": said, "break_offered": offered}
        following = show_next(request, respondent, stored=submitted.judgment, **told)
        following["X-Stored"] = str(submitted.judgment.pk)
        return following
    return redirect("work-item", respondent.campaign.slug)


def has_to_read(respondent: Respondent) -> bool:
    """Whether a text was published since, which comes before the item that their page has already."""
    campaign = respondent.campaign
    same = (campaign.guidelines_id, campaign.consent_id) == (respondent.guidelines_id, respondent.consent_id)
    return not same and position_of(respondent).stage in READS


@require_POST
@for_signed_in
def draft(request: HtmxRequest, slug: str, assignment_id: int) -> HttpResponse:
    """Keeps what was typed. 409 tells a stale tab what is stored, so that both texts survive."""
    respondent = own_respondent(request, slug)
    try:
        version = save_draft(
            assignment_id=assignment_id,
            lease_token=lease_named(request),
            respondent=respondent,
            version=number_posted(request, "draft_version"),
            values=typed_values(request),
            now=timezone.now(),
        )
    except StaleDraft as stale:
        return JsonResponse({"version": stale.version, "values": stale.values}, status=409)
    except DraftTooLong:
        return JsonResponse({"error": "too_long"}, status=413)
    except NotYourAssignment as missing:
        raise Http404 from missing
    except LeaseExpired:
        return JsonResponse({"error": "gone"}, status=410)
    return JsonResponse({"version": version})


@require_POST
@for_signed_in
def skip(request: HtmxRequest, slug: str, assignment_id: int) -> HttpResponseBase:
    respondent, reason = own_respondent(request, slug), request.POST.get("reason", "")
    if reason not in SKIP_REASONS:
        return _ask_again(request, respondent, assignment_id, _("Choose why you skip this item."))
    said = _("Skipped. Skipping is never held against you.")
    return _give_back(request, respondent, assignment_id, reason, said=said)


@require_POST
@for_signed_in
def flag(request: HtmxRequest, slug: str, assignment_id: int) -> HttpResponseBase:
    respondent, reason = own_respondent(request, slug), request.POST.get("reason", "")
    if reason not in FlagReason.values:
        return _ask_again(request, respondent, assignment_id, _("Choose what is wrong with this item."))
    words, said = request.POST.get("words", "")[:2000], _("Reported. Thank you: somebody will look at it.")
    return _give_back(request, respondent, assignment_id, reason, said=said, words=words)


def _give_back(
    request: HtmxRequest,
    respondent: Respondent,
    assignment_id: int,
    reason: str,
    *,
    said: str,
    words: str | None = None,
) -> HttpResponseBase:
    try:
        give_back_once(
            assignment_id=assignment_id,
            lease_token=lease_named(request),
            key=request.POST.get("key", ""),
            respondent=respondent,
            reason=reason,
            words=words,
            now=timezone.now(),
        )
    except NotYourAssignment as missing:
        raise Http404 from missing
    except (LeaseExpired, InFlight, KeyReused, BadKey) as refused:
        return _refused(request, respondent, _refused_as(refused), _moved_on(refused))
    response = _next_or_redirect(request, respondent, said=said)
    response["X-Stored"] = str(assignment_id)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_signed_in
def correct(request: HtmxRequest, slug: str, judgment_id: int) -> HttpResponseBase:
    """One's own answer, to look at and to correct while the campaign is open."""
    respondent = own_respondent(request, slug)
    answered = own_answer(respondent, judgment_id)
    if answered is None:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = judgment_form(answered, posted, typed=answered.typed)
    context: dict[str, Any] = {"campaign": respondent.campaign, "answered": answered, "form": form, "key": mint_key()}
    if is_locked(respondent):
        context |= {"problem": LOCKED, "is_locked": True}
        return never_stored(render(request, "annotation/work/correct.html", context, status=409 if posted else 200))
    if posted is None:
        return never_stored(render(request, "annotation/work/correct.html", context))
    if form.is_valid():
        try:
            correct_judgment(
                judgment_id=judgment_id,
                key=request.POST.get("key", ""),
                respondent=respondent,
                answers=form.answers,
                typed=typed_values(request),
                now=timezone.now(),
            )
            return redirect("work-history", slug)
        except (*NOT_CORRECTED, InvalidAnswers, InFlight, KeyReused, BadKey):
            context["problem"] = _("This answer cannot be corrected any more: it was changed elsewhere, or work ended.")
    return never_stored(render(request, "annotation/work/correct.html", context, status=422))


def _ask_again(request: HtmxRequest, respondent: Respondent, assignment_id: int, problem: str) -> HttpResponseBase:
    context = item_context(respondent, assignment_id) | {"problem": problem}
    return show_item_page(request, respondent, assignment_id, status=422, **context)


def _next_or_redirect(request: HtmxRequest, respondent: Respondent, *, said: str) -> HttpResponseBase:
    if request.htmx:
        return show_next(request, respondent, said=said)
    return redirect("work-item", respondent.campaign.slug)


def typed_values(request: HtmxRequest) -> dict[str, str]:
    """What the form's own inputs held, without what the page adds to them."""
    return {name: str(value) for name, value in request.POST.items() if name not in NOT_TYPED}


def _conflict(request: HtmxRequest) -> int:
    """409 says that the page is stale; htmx swaps 422 only, and the page it gets says what happened."""
    return 422 if request.htmx else 409


def _why_refused(refused: Exception) -> str:
    """Empty where the page that follows says it by itself."""
    if isinstance(refused, CampaignPaused | NotActive):
        return ""
    if isinstance(refused, CampaignClosed):
        return str(TOO_LATE)
    return str(LOCKED) if isinstance(refused, AnswersLocked) else _moved_on(refused)


def _moved_on(refused: Exception) -> str:
    if isinstance(refused, AlreadyAnswered | KeyReused):
        return str(ANSWERED_BEFORE)
    if isinstance(refused, LeaseExpired):
        return _("The time for that item ran out, or another tab took it over. Here is what is open to you now.")
    return _("That item has moved on, perhaps in another tab. Here is what is open to you now.")
