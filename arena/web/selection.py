"""Where an arena's next questions go, and why; its admins choose what they aim at."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotation.web.access import for_campaign_admins
from annotation.web.selection import aimed, selection_context
from arena.queries.selection import outlook_of
from arena.web.manage import managed_arena


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def selection(request: HttpRequest, slug: str) -> HttpResponse:
    arena = managed_arena(slug)
    problem = aimed(request, arena.campaign) if request.method == "POST" else ""
    if request.method == "POST" and not problem:
        messages.success(request, _("Saved. It holds from the next battle on."))
        return redirect("arena-selection", slug)
    category = request.GET.get("category", "")
    found = outlook_of(arena, category=category, now=timezone.now())
    if category and category not in {each.name for each in found.categories}:
        raise Http404
    context = {
        "arena": arena,
        "section": "arena-selection",
        "category": category,
        "goes_by": found.goes_by,
        "categories": found.categories,
    } | selection_context(arena.campaign, found.outlook, problem)
    return render(request, "arena/manage/selection.html", context, status=422 if problem else 200)
