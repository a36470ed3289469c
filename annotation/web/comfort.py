"""What annotators may do beside answering: ask about the guidelines, take a break, and decline content."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from annotation.forms.asked import AskForm
from annotation.forms.content import DeclineForm
from annotation.models import Respondent
from annotation.queries.asked import own_questions
from annotation.queries.tasks import held_until
from annotation.use_cases.ask_question import NotAsked, ask_question
from annotation.use_cases.decline_content import decline_content
from annotation.use_cases.offer_break import take_break
from annotation.web.access import for_signed_in
from annotation.web.work import never_stored, own_respondent, show_step
from foundation.requests import HtmxRequest, number_posted


@require_http_methods(["GET", "POST"])
@for_signed_in
def questions(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """One's own questions with their answers, and a form for another; from an item the form alone."""
    respondent = own_respondent(request, slug)
    form = AskForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            words, about = form.cleaned_data["words"], number_posted(request, "assignment")
            ask_question(respondent_id=respondent.pk, words=words, assignment_id=about, now=timezone.now())
            if request.htmx:
                return never_stored(render(request, "annotation/work/questions.html#asked", {}))
            messages.success(request, _("Asked. The answer comes up here."))
            return redirect("work-questions", slug)
        except NotAsked:
            form.add_error(None, _("Not asked: the campaign is closed, or too many of your questions still wait."))
    return _show_questions(request, respondent, form)


def _show_questions(request: HtmxRequest, respondent: Respondent, form: AskForm) -> HttpResponse:
    context: dict[str, Any] = {"campaign": respondent.campaign, "form": form}
    template = "annotation/work/questions.html"
    if request.htmx and form.errors:
        context["about"] = number_posted(request, "assignment")
        template += "#ask"
    else:
        context["asked"] = own_questions(respondent)
    return never_stored(render(request, template, context, status=422 if form.errors else 200))


@require_http_methods(["GET", "POST"])
@for_signed_in
def pause(request: HtmxRequest, slug: str) -> HttpResponseBase:
    """A break. What is held is kept with its lease, so that nothing typed is lost."""
    respondent = own_respondent(request, slug)
    if request.method == "POST":
        take_break(respondent_id=respondent.pk, now=timezone.now())
        return redirect("work-break", slug)
    context = {"campaign": respondent.campaign, "until": held_until(respondent)}
    return never_stored(render(request, "annotation/work/break.html", context))


@require_POST
@for_signed_in
def content(request: HtmxRequest, slug: str) -> HttpResponseBase:
    respondent = own_respondent(request, slug)
    form = DeclineForm(respondent.campaign, respondent, request.POST)
    if not form.is_valid():
        return show_step(request, respondent, status=422, content_form=form)
    decline_content(respondent_id=respondent.pk, declined=form.cleaned_data["declined"], now=timezone.now())
    messages.success(request, _("Saved. You are given nothing of what you declined, and nothing follows from it."))
    return redirect("work-campaign", slug)
