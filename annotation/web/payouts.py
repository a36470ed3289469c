"""Payouts of a campaign: made, downloaded for whoever pays, and confirmed. Campaign admins only."""

from collections.abc import Sequence
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation.forms.pay import PaymentForm
from annotation.models import Campaign, Payout
from annotation.queries.pay import PayLine, lines_of, payouts_of
from annotation.use_cases.confirm_payment import PaidBefore, confirm_payment
from annotation.use_cases.make_payouts import NothingToPay, make_payouts
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.tables import Column, Table, csv_response, shown_table


@require_POST
@for_campaign_admins
def make(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    try:
        made = make_payouts(campaign_id=campaign.pk, actor=actor_of(request), now=timezone.now())
    except NothingToPay:
        messages.info(request, _("Nobody is owed a whole cent that is not in a payout, so none was made."))
        return redirect("campaign-pay", slug)
    messages.success(request, _("Made. Download the file and pay it, then say so here."))
    return redirect("campaign-pay-payout", slug, made[0].number) if len(made) == 1 else redirect("campaign-pay", slug)


@require_GET
@for_campaign_admins
def payout(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    found = found_payout(campaign, number)
    if "file" in request.GET:
        return file_of(campaign, found, request.GET["file"])
    return render_payout(request, campaign, found)


@require_POST
@for_campaign_admins
def paid(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    campaign, form = managed_campaign(slug), PaymentForm(request.POST)
    found = found_payout(campaign, number)
    if form.is_valid():
        reference, actor = form.cleaned_data["reference"], actor_of(request)
        try:
            confirm_payment(payout_id=found.pk, reference=reference, actor=actor, now=timezone.now())
            messages.success(request, _("Noted as paid."))
        except PaidBefore:
            messages.warning(request, _("It was noted as paid before; that reference stands."))
        return redirect("campaign-pay-payout", slug, number)
    return render_payout(request, campaign, found, form=form, status=422)


def found_payout(campaign: Campaign, number: int) -> Payout:
    found: Payout = get_object_or_404(payouts_of(campaign), number=number)
    return found


def file_of(campaign: Campaign, found: Payout, name: str) -> HttpResponse:
    """`payment` is everybody whom no study sent; the id of a study, those whom it sent, as it takes bonuses."""
    lines = lines_of(found)
    if name == "payment":
        kept = [line for line in lines if not line.participant]
        return csv_response(payment_table(found, kept), name=campaign.slug)
    kept = [line for line in lines if line.participant and line.study == name]
    if not kept:
        raise Http404
    written = "".join(f"{line.participant},{line.amount}\n" for line in kept)
    response = HttpResponse(written, content_type="text/csv; charset=utf-8")
    file = f"{campaign.slug}-payout-{found.number}-prolific-{name}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "private, no-store"
    return response


def payment_table(found: Payout, lines: Sequence[PayLine]) -> Table:
    columns = [
        Column("pseudonym", _("Person"), "text", lambda each: each.pseudonym),
        Column("username", _("Account"), "text", lambda each: each.username),
        Column("amount", _("Amount"), "money", lambda each: each.amount),
        Column("currency", _("Currency"), "text", lambda each: found.currency),
        Column("entries", _("Entries"), "count", lambda each: each.entries),
    ]
    return Table(f"payout-{found.number}", _("Lines"), columns, lines)


def render_payout(
    request: HttpRequest, campaign: Campaign, found: Payout, *, form: PaymentForm | None = None, status: int = 200
) -> HttpResponse:
    lines = lines_of(found)
    studies: dict[str, list[PayLine]] = {}
    for line in lines:
        studies.setdefault(line.study if line.participant else "", []).append(line)
    files = [(study, len(of), sum((line.amount for line in of), Decimal(0))) for study, of in sorted(studies.items())]
    context = {
        "campaign": campaign,
        "payout": found,
        "files": files,
        "entries": sum(line.entries for line in lines),
        "lines": shown_table(payment_table(found, lines), request.GET),
        "payment": getattr(found, "payment", None),
        "form": form or PaymentForm(),
    }
    return render(request, "annotation/pay/payout.html", context, status=status)
