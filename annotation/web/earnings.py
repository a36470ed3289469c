"""What an annotator has earned in a campaign, entry by entry, and what was paid."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.queries.earnings import earned_by, own_entries, own_payouts
from annotation.web.access import for_signed_in
from annotation.web.work import never_stored, own_respondent
from foundation.requests import HtmxRequest

ON_A_PAGE = 50


@require_GET
@for_signed_in
def earnings(request: HtmxRequest, slug: str) -> HttpResponse:
    respondent = own_respondent(request, slug)
    context = {
        "campaign": respondent.campaign,
        "earned": earned_by(respondent),
        "page": Paginator(own_entries(respondent), ON_A_PAGE).get_page(request.GET.get("page")),
        "payouts": own_payouts(respondent),
    }
    return never_stored(render(request, "annotation/work/earnings.html", context))
