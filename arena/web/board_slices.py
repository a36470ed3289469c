"""The slices of a board, for its admins: what there are, and a form that makes another."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotation.boards.slices import FIELDS
from annotation.models import Board
from annotation.queries import judgments_in_slice, large_enough
from annotation.queries.people import groups_in_use
from annotation.use_cases.open_slice import open_slice
from annotation.use_cases.open_slices import LEAST_JUDGMENTS
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of
from arena.web.board_page import slice_links
from arena.web.slice_forms import SliceForm
from foundation.requests import HtmxRequest

# Names that a field offers.
OFFERED = 50


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def slices(request: HtmxRequest, slug: str) -> HttpResponse:
    """A GET with fields, or a POST that says so, counts what another POST with them makes a board of."""
    board = get_object_or_404(Board.objects.select_related("campaign"), slug=slug, parent=None, slice={})
    data = request.POST if request.method == "POST" else request.GET
    makes = request.method == "POST" and "count" not in data
    form = SliceForm(data if makes or any(data.get(name) for name in FIELDS) else None)
    if form.is_valid() and makes:
        if _made(request, board, form):
            return redirect("board-slices", slug)
        form.add_error(None, _("There is a board of this slice: it is in the list."))
    counted = judgments_in_slice(board.campaign, form.slice) if form.is_bound and form.is_valid() else None
    context = {"board": board, "form": form, "counted": counted, "few": LEAST_JUDGMENTS, "makes": makes}
    if request.htmx and not makes:
        return _varied(render(request, "arena/board_slices.html#count", context))
    context |= {"slices": slice_links(board, request.user), "known": _known(board)}
    return _varied(render(request, "arena/board_slices.html", context, status=422 if makes else 200))


def _made(request: HttpRequest, board: Board, form: SliceForm) -> bool:
    """Hidden: what it would say of few people is for its maker to see first."""
    made = open_slice(board=board, slice=form.slice, actor=actor_of(request), now=timezone.now(), public=False)
    if made is not None:
        messages.success(request, _("The slice is made and hidden. Its board is computed within seconds."))
    return made is not None


def _known(board: Board) -> dict[str, list[str]]:
    """What judgments of this board bear, for the fields to offer."""
    known: dict[str, list[str]] = {"group": groups_in_use(board.campaign)[:OFFERED]}
    for slice in large_enough(board.campaign, least=1, most=OFFERED):
        for name, value in slice.items():
            known.setdefault(name, []).append(value)
    return known


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
