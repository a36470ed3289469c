"""What is said to be wrong with items, and what became of it. Reviewers and campaign admins only."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from annotation.forms.reviews import ResolveForm
from annotation.models import Item
from annotation.queries.flags import item_as_stored, items_flagged, listed_flags
from annotation.queries.reviews import saw_others, waiting_counts
from annotation.queries.said import flags_on
from annotation.use_cases.resolve_flags import resolve_flags
from annotation.web.access import for_reviewers
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.review_page import RUNNING

ON_A_PAGE = 20


@require_GET
@for_reviewers
def open_flags(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    page = Paginator(items_flagged(campaign), ON_A_PAGE).get_page(request.GET.get("page"))
    # Of several forms on a page each has inputs of its own.
    rows = [(each, ResolveForm(auto_id=f"flag-{each.item.pk}-%s")) for each in listed_flags(list(page))]
    counts = waiting_counts(campaign)
    context = {"campaign": campaign, "page": page, "rows": rows, "flags": counts.get("flagged", 0)}
    return render(request, "annotation/review/open_flags.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def flags(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    item = get_object_or_404(Item, campaign=campaign, pk=item_id)
    form = ResolveForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        resolve_flags(item_id=item.pk, words=form.cleaned_data["words"], actor=actor_of(request), now=timezone.now())
        messages.success(request, _("Resolved."))
        if request.POST.get("back") == "list":
            return redirect("review-flags", slug)
        return redirect("item-flags", slug, item_id)
    context = {
        "campaign": campaign,
        "item": item,
        "shown": item_as_stored(item.pk),
        "flags": flags_on(item.pk),
        "form": form,
        # Nothing of what was answered is on this page.
        "may_settle_blind": campaign.state in RUNNING and not saw_others(item.pk, actor_of(request)),
    }
    return render(request, "annotation/review/flags.html", context, status=422 if form.errors else 200)
