"""What annotators ask about a campaign's guidelines, and its answers. Campaign admins only."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.forms.asked import AnswerForm
from annotation.models import Campaign, GuidelineQuestion
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.asked import campaign_questions, with_words
from annotation.use_cases.answer_question import NothingPublished, answer_question
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign

PAGE = 20


@require_GET
@for_campaign_admins
def asked(request: HttpRequest, slug: str) -> HttpResponse:
    return render_asked(request, managed_campaign(slug))


@require_POST
@for_campaign_admins
def answer(request: HttpRequest, slug: str, question_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    question = get_object_or_404(GuidelineQuestion, campaign=campaign, pk=question_id)
    form = AnswerForm(question, request.POST)
    if form.is_valid():
        try:
            answered = answer_question(
                question_id=question.pk, actor=actor_of(request), now=timezone.now(), **form.cleaned_data
            )
            messages.success(request, answered_text(answered))
            return redirect("campaign-asked", slug)
        except CampaignIsClosed:
            form.add_error(None, _("This campaign is closed and is not changed any more."))
        except NothingPublished:
            form.add_error(None, _("The campaign is a draft. Answer the asker alone, or publish the answer later."))
    return render_asked(request, campaign, refused=form, about=question.pk, status=422)


def render_asked(
    request: HttpRequest, campaign: Campaign, *, refused: AnswerForm | None = None, about: int = 0, status: int = 200
) -> HttpResponse:
    page = Paginator(campaign_questions(campaign), PAGE).get_page(request.GET.get("page", "1"))
    rows = [
        (each, refused if refused is not None and each.question.pk == about else AnswerForm(each.question))
        for each in with_words(page.object_list)
    ]
    return render(
        request, "annotation/asked/list.html", {"campaign": campaign, "page": page, "rows": rows}, status=status
    )


def answered_text(question: GuidelineQuestion) -> str:
    if question.published_in is None:
        return _("Answered. Whoever asked reads it with their questions.")
    return _("Answered, and part of guidelines %(number)d. Everybody is told at their next item.") % {
        "number": question.published_in.number
    }
