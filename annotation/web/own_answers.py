"""An annotator's own answers, what was decided about them, and the appeal against a rejection."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.forms.reviews import AppealForm
from annotation.forms.withdrawal import OwnTextsForm
from annotation.models import Judgment, Respondent
from annotation.queries import asks_for_words
from annotation.queries.history import own_history
from annotation.use_cases.appeal_rejection import AppealedBefore, appeal_rejection
from annotation.use_cases.lock_session import is_locked
from annotation.use_cases.submit_judgment import NotYourAssignment
from annotation.web.access import for_signed_in
from annotation.web.work import never_stored, own_respondent
from foundation.requests import HtmxRequest
from foundation.transitions import ForbiddenTransition


@require_GET
@for_signed_in
def history(request: HtmxRequest, slug: str) -> HttpResponse:
    return render_history(request, own_respondent(request, slug))


@require_POST
@for_signed_in
def appeal(request: HtmxRequest, slug: str, judgment_id: int) -> HttpResponse:
    respondent, form = own_respondent(request, slug), AppealForm(request.POST)
    if not Judgment.objects.filter(pk=judgment_id, respondent=respondent).exists():
        raise Http404
    if form.is_valid():
        try:
            words = form.cleaned_data["words"]
            appeal_rejection(judgment_id=judgment_id, respondent=respondent, words=words, now=timezone.now())
            messages.success(request, _("A reviewer who has not decided about it before reads your appeal."))
            item = Judgment.objects.values_list("item", flat=True).get(pk=judgment_id)
            return redirect(f"{reverse('work-history', args=[slug])}?item={item}#item-{item}")
        except (NotYourAssignment, AppealedBefore, ForbiddenTransition):
            form.add_error(None, _("There is nothing to appeal against, or you did before."))
    return render_history(request, respondent, status=422, appealing=judgment_id, form=form)


def number_in(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def render_history(
    request: HtmxRequest,
    respondent: Respondent,
    *,
    status: int = 200,
    appealing: int | None = None,
    form: AppealForm | None = None,
) -> HttpResponse:
    # An answer that was just refused an appeal, or that a line of the earnings leads to, is at the top.
    item = number_in(request.GET.get("item", ""))
    if appealing is not None:
        item = Judgment.objects.values_list("item", flat=True).get(pk=appealing)
    page, answers = own_history(respondent, request.GET.get("page", "1"), timezone.now(), item=item)
    # Of several forms on a page each has inputs of its own.
    forms = {
        each.judgment.pk: AppealForm(auto_id=f"appeal-{each.judgment.pk}-%s") for each in answers if each.may_appeal
    }
    rows = [(each, form if form and each.judgment.pk == appealing else forms.get(each.judgment.pk)) for each in answers]
    context = {"campaign": respondent.campaign, "page": page, "rows": rows, "refused": form, "appealing": appealing}
    context["is_locked"] = is_locked(respondent)
    context |= {"respondent": respondent}
    if asks_for_words(respondent.campaign):
        context["texts_form"] = OwnTextsForm(initial={"releases_texts": respondent.releases_texts})
    return never_stored(render(request, "annotation/work/history.html", context, status=status))
