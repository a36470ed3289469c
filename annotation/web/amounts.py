"""An annotator's session in which amounts are asked: check, practice, lock, draw, and the receipt anybody may read."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.enums import WorthState
from annotation.models import Respondent
from annotation.policies.comprehension import CheckQuestion
from annotation.queries.sessions import draw_by_token, receipt_of, step_of
from annotation.questions.amount.typed_decimal import parse_amount
from annotation.questions.refusals import Refused
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.lock_session import NothingToDraw, lock_session
from annotation.use_cases.practise import BeyondEndowment, practise
from annotation.use_cases.submit_work import NotActive
from annotation.use_cases.take_check import NotAtThisStep, take_check
from annotation.web.access import for_signed_in
from annotation.web.practice_list import read_list
from annotation.web.work import never_stored, own_respondent, show_step
from foundation.requests import HtmxRequest, number_posted


@require_POST
@for_signed_in
def check(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """An attempt at the comprehension check; one with a gap is none."""
    respondent = own_respondent(request, slug)
    step = step_of(respondent)
    if step is None or step.session.state != WorthState.CHECK:
        return _moved_on(request, respondent)
    answers = {question.name: request.POST.get(question.name, "") for question in step.questions}
    gaps = [question for question in step.questions if answers[question.name] not in dict(question.choices)]
    if gaps:
        return show_step(request, respondent, status=422, chosen=answers, gaps=[gap.name for gap in gaps])
    try:
        checked = take_check(respondent_id=respondent.pk, answers=answers, now=timezone.now())
    except (NotAtThisStep, NotActive):
        return _moved_on(request, respondent)
    respondent.refresh_from_db()
    return _after_check(request, respondent, checked.wrong)


def _after_check(request: HtmxRequest, respondent: Respondent, wrong: Sequence[CheckQuestion]) -> HttpResponseBase:
    """Wrong answers are explained beside the questions, or above what comes next where there is no other attempt."""
    if not wrong:
        return redirect("work-campaign", respondent.campaign.slug)
    return show_step(request, respondent, status=422, wrong={question.name: question for question in wrong})


@require_POST
@for_signed_in
def practice(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """The bid for one card, with what it would have come to."""
    respondent, typed = own_respondent(request, slug), request.POST.get("bid", "")
    step = step_of(respondent)
    if step is None or step.session.state != WorthState.PRACTICE:
        return _moved_on(request, respondent)
    try:
        practised = practise(
            respondent_id=respondent.pk,
            number=number_posted(request, "card"),
            bid=Decimal(0) if step.is_price_list else parse_amount(typed),
            answered=read_list(step, respondent, request.POST) if step.is_price_list else None,
            now=timezone.now(),
        )
    except Refused as refused:
        given = {"posted": request.POST, "refusal": refused.refusal}
        return show_step(request, respondent, status=422, typed=typed, refused=refused.refusal.message, **given)
    except BeyondEndowment:
        words = _("You have less than that to pay from.")
        return show_step(request, respondent, status=422, typed=typed, refused=words)
    except (NotAtThisStep, NotActive):
        return _moved_on(request, respondent)
    return show_step(request, respondent, practised=practised)


@require_POST
@for_signed_in
def lock(request: HtmxRequest, slug: str) -> HttpResponseBase:
    respondent = own_respondent(request, slug)
    try:
        lock_session(respondent_id=respondent.pk, now=timezone.now())
    except NothingToDraw:
        return _moved_on(request, respondent)
    return redirect("work-campaign", slug)


@require_POST
@for_signed_in
def draw(request: HtmxRequest, slug: str) -> HttpResponseBase:
    respondent = own_respondent(request, slug)
    try:
        hold_draw(respondent_id=respondent.pk, now=timezone.now())
    except NothingToDraw:
        return _moved_on(request, respondent)
    return redirect("work-campaign", slug)


@require_GET
def show_receipt(request: HtmxRequest, receipt: str) -> HttpResponse:
    """For whoever holds the link: what was drawn, and the same computed anew."""
    found = draw_by_token(receipt)
    if found is None:
        raise Http404
    return never_stored(render(request, "annotation/work/receipt.html", {"receipt": receipt_of(found)}))


def _moved_on(request: HtmxRequest, respondent: Respondent, **context: Any) -> HttpResponseBase:
    words = _("This step is behind you, perhaps in another tab, or cannot be taken. Here is where you are now.")
    return show_step(request, respondent, status=409, problem=words, **context)
