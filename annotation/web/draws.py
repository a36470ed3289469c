"""The draws of a campaign's paid sessions, for its admins: what they came to, and what is handed over."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from annotation.models import Campaign, Draw
from annotation.queries.sessions import Arm, arms_of, draws_of, handed_over, receipt_of
from annotation.use_cases.deliver_draw import deliver_draw
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.tables import Column, Link, Table, chosen, csv_response, shown_table


@require_GET
@for_campaign_admins
def draws(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    tables = [draws_table(campaign), arms_table(arms_of(campaign))]
    if request.GET.get("format") == "csv":
        table = chosen(tables, request.GET.get("table"))
        if table is None:
            raise Http404
        return csv_response(table, name=campaign.slug)
    shown = {table.name: shown_table(table, request.GET if table.name == "draws" else {}) for table in tables}
    context = {"campaign": campaign, "section": "draws", "tables": shown}
    return render(request, "annotation/campaigns/draws.html", context)


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def draw(request: HttpRequest, slug: str, draw_id: int) -> HttpResponseBase:
    """What one draw hands over; a POST says that it was."""
    campaign = managed_campaign(slug)
    found = draws_of(campaign).filter(pk=draw_id).first()
    if found is None:
        raise Http404
    if request.method == "POST":
        deliver_draw(draw_id=found.pk, actor=actor_of(request), now=timezone.now())
        return redirect("campaign-draws", slug)
    receipt = receipt_of(found)
    context: dict[str, Any] = {"campaign": campaign, "section": "draws", "receipt": receipt, **handed_over(found)}
    return render(request, "annotation/campaigns/draw.html", context)


def draws_table(campaign: Campaign) -> Table:
    def link(each: Draw) -> Link:
        return Link(each.session.respondent.pseudonym, reverse("campaign-draw", args=[campaign.slug, each.pk]))

    columns = [
        Column("annotator", gettext_lazy("Annotator"), "link", link),
        Column("item", gettext_lazy("Item"), "text", lambda each: str(each.item_id)),
        Column("amount", gettext_lazy("Amount"), "plain", lambda each: each.amount),
        Column("price", gettext_lazy("Price"), "plain", lambda each: each.price),
        Column("bought", gettext_lazy("Bought"), "text", lambda each: _("Yes") if each.bought else _("No")),
        Column("endowment", gettext_lazy("Endowment"), "plain", lambda each: each.endowment),
        Column("payout", gettext_lazy("Payout"), "plain", lambda each: each.payout),
        Column("currency", gettext_lazy("Currency"), "text", lambda each: each.currency),
        Column("held", gettext_lazy("Held"), "moment", lambda each: each.created_at),
        Column("delivered", gettext_lazy("Delivered"), "moment", _delivered_at),
        Column("paid", gettext_lazy("Paid"), "moment", lambda each: getattr(_payment(each), "paid_at", None)),
        Column("reference", gettext_lazy("Reference"), "text", lambda each: getattr(_payment(each), "reference", None)),
        Column("receipt", gettext_lazy("Receipt"), "link", _receipt_link, is_sorted=False),
        Column("seed", gettext_lazy("Seed"), "text", lambda each: f"{each.seed[:8]}…", is_sorted=False),
    ]
    return Table("draws", gettext_lazy("Draws"), columns, list(draws_of(campaign)))


def arms_table(arms: list[Arm]) -> Table:
    columns = [
        Column("endowment", gettext_lazy("Endowment"), "plain", lambda each: each.endowment),
        Column("people", gettext_lazy("Sessions begun"), "count", lambda each: each.people),
        Column("failed", gettext_lazy("Failed the check"), "count", lambda each: each.failed),
        Column("deviation", gettext_lazy("Deviation in practice"), "percent", lambda each: each.deviation),
        Column("answers", gettext_lazy("Amounts"), "count", lambda each: each.answers),
        Column("mean", gettext_lazy("Mean amount"), "number", lambda each: each.mean),
        Column("at_bound", gettext_lazy("At the endowment"), "percent", lambda each: each.at_bound),
    ]
    return Table("arms", gettext_lazy("Endowments"), columns, arms)


def _delivered_at(draw: Draw) -> Any:
    return draw.delivery.created_at if hasattr(draw, "delivery") else None


def _payment(draw: Draw) -> Any:
    entries: list[Any] = getattr(draw, "entries", [])
    paid = next((entry.paid for entry in entries if hasattr(entry, "paid")), None)
    return getattr(paid.line.payout, "payment", None) if paid else None


def _receipt_link(draw: Draw) -> Link:
    return Link(_("Receipt"), reverse("draw-receipt", args=[draw.token]))
