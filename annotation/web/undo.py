"""An answer that is taken back a moment after it was given."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation.queries.tasks import task_of
from annotation.use_cases.lock_session import AnswersLocked
from annotation.use_cases.submit_judgment import CampaignClosed, NotYourAssignment
from annotation.use_cases.submit_work import NotActive
from annotation.use_cases.supersede_judgment import AlreadySuperseded
from annotation.use_cases.undo_judgment import TooLateToUndo, undo_judgment
from annotation.web.access import for_signed_in
from annotation.web.work import own_respondent, show_item_page, show_next
from foundation.requests import HtmxRequest


@require_POST
@for_signed_in
def undo(request: HtmxRequest, slug: str, judgment_id: int) -> HttpResponseBase:
    """Its item once more, with what was typed; or what is open, and why the answer stays."""
    respondent = own_respondent(request, slug)
    try:
        undone = undo_judgment(judgment_id=judgment_id, respondent=respondent, now=timezone.now())
    except NotYourAssignment as missing:
        raise Http404 from missing
    except (AlreadySuperseded, TooLateToUndo, AnswersLocked, CampaignClosed, NotActive) as refused:
        return show_next(request, respondent, status=422 if request.htmx else 409, problem=_why(refused))
    if not request.htmx:
        return redirect("work-item", slug)
    said = _("Taken back. Nothing counts until you submit it again.")
    task = task_of(respondent, undone.assignment_id or 0)
    if task is None or not task.is_open:
        return show_next(request, respondent)
    return show_item_page(request, respondent, task.assignment_id, revealed=True, said=said)


def _why(refused: Exception) -> str:
    if isinstance(refused, AnswersLocked):
        return _("Your answers are locked for the draw. Nothing of them can be changed any more.")
    if isinstance(refused, TooLateToUndo):
        return _("That answer cannot be taken back any more. You can still correct it in your history.")
    return _("That answer cannot be taken back: it was changed elsewhere, or work ended.")
