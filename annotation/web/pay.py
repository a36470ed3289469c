"""What a campaign owes: balances, bonuses, entries, and taking back what was owed by mistake. Campaign admins only."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.forms.pay import BonusForm, BonusListForm, EntryFilterForm, ReversalForm
from annotation.models import Campaign, LedgerEntry
from annotation.policies.bonus_list import BonusesRefused
from annotation.queries.pay import (
    PersonsPay,
    balances_of,
    costs_by_kind,
    entries_of,
    entry_rows,
    pay_by_person,
    payouts_of,
    unknown_people,
)
from annotation.use_cases.give_bonuses import give_bonuses
from annotation.use_cases.reverse_entry import REVERSIBLE, NotReversible, ReversedBefore, reverse_entry
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.tables import Column, Link, Table, csv_response, shown_table
from foundation.idempotency import IdempotencyError, mint_key

ON_A_PAGE = 50
PAYOUTS_SHOWN = 50
# As they stand in the downloaded file.
ENTRY_COLUMNS = (
    Column("entry", "", "plain", lambda row: row["id"]),
    Column("created_at", "", "moment", lambda row: row["created_at"]),
    Column("pseudonym", "", "text", lambda row: row["pseudonym"]),
    Column("kind", "", "text", lambda row: row["kind"]),
    Column("amount", "", "money", lambda row: row["amount"]),
    Column("currency", "", "text", lambda row: row["currency"]),
    Column("reason", "", "text", lambda row: row["reason"]),
    Column("judgment", "", "plain", lambda row: row["judgment_id"]),
    Column("item", "", "plain", lambda row: row["item"]),
    Column("reverses_entry", "", "plain", lambda row: row["reversal_of_id"]),
    Column("payout", "", "plain", lambda row: row["payout"]),
    Column("by", "", "text", lambda row: row["by"]),
)


@require_GET
@for_campaign_admins
def pay(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    if request.GET.get("format") == "csv":
        return csv_response(people_table(campaign), name=campaign.slug)
    return render_pay(request, campaign)


@require_POST
@for_campaign_admins
def bonus(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, form = managed_campaign(slug), BonusForm(request.POST)
    return give(request, campaign, form) or render_pay(request, campaign, bonus_form=form, status=422)


@require_POST
@for_campaign_admins
def bonuses(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, form = managed_campaign(slug), BonusListForm(request.POST, request.FILES)
    return give(request, campaign, form) or render_pay(request, campaign, list_form=form, status=422)


def give(request: HttpRequest, campaign: Campaign, form: BonusForm | BonusListForm) -> HttpResponse | None:
    """Back to the page; None where the form says why nothing was given."""
    if not form.is_valid():
        if isinstance(form, BonusListForm) and form.refusal is not None:
            form.refuse_too(unknown_people(campaign, form.refusal.good))
        return None
    key, actor, now = form.cleaned_data["key"], actor_of(request), timezone.now()
    try:
        given = give_bonuses(campaign_id=campaign.pk, bonuses=form.bonuses, key=key, actor=actor, now=now)
    except BonusesRefused as refusal:
        form.refuse(refusal)
        return None
    except IdempotencyError:
        form.add_error(None, _("This form was sent a moment ago. Send it again if you want to give these bonuses too."))
        form.renew_key(mint_key())
        return None
    text = ngettext("One bonus was given.", "%(count)d bonuses were given.", len(given)) % {"count": len(given)}
    messages.success(request, text)
    return redirect("campaign-pay", campaign.slug)


@require_GET
@for_campaign_admins
def entries(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, filters = managed_campaign(slug), EntryFilterForm(request.GET)
    found = entries_of(campaign, **filters.chosen)
    if request.GET.get("format") == "csv":
        return csv_response(Table("entries", "", ENTRY_COLUMNS, list(entry_rows(found))), name=campaign.slug)
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"campaign": campaign, "filters": filters, "page": page, "reversible": REVERSIBLE}
    return render(request, "annotation/pay/entries.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def reverse_one(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    campaign = managed_campaign(slug)
    entry = get_object_or_404(entries_of(campaign), pk=entry_id)
    form = ReversalForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and taken_back(request, entry, form):
        return redirect("campaign-pay-entries", slug)
    may = entry.kind in REVERSIBLE and not hasattr(entry, "reversed_by")
    context = {"campaign": campaign, "entry": entry, "form": form, "may": may}
    return render(request, "annotation/pay/reverse.html", context, status=422 if form.is_bound else 200)


def taken_back(request: HttpRequest, entry: LedgerEntry, form: ReversalForm) -> bool:
    reason, actor = form.cleaned_data["reason"], actor_of(request)
    try:
        reverse_entry(entry_id=entry.pk, reason=reason, actor=actor, now=timezone.now())
    except NotReversible:
        form.add_error(None, _("This entry is not taken back by hand. Nothing was changed."))
        return False
    except ReversedBefore:
        form.add_error(None, _("It was taken back before. Nothing was changed."))
        return False
    messages.success(request, _("Taken back."))
    return True


def render_pay(
    request: HttpRequest,
    campaign: Campaign,
    *,
    bonus_form: BonusForm | None = None,
    list_form: BonusListForm | None = None,
    status: int = 200,
) -> HttpResponse:
    table = people_table(campaign)
    context: dict[str, Any] = {
        "campaign": campaign,
        "balances": balances_of(table.rows),
        "costs": costs_by_kind(campaign),
        "payouts": payouts_of(campaign)[:PAYOUTS_SHOWN],
        "people": shown_table(table, request.GET),
        "bonus_form": bonus_form or BonusForm(initial={"key": mint_key(), "pseudonym": request.GET.get("person", "")}),
        "list_form": list_form or BonusListForm(initial={"key": mint_key()}),
    }
    return render(request, "annotation/pay/show.html", context, status=status)


def people_table(campaign: Campaign) -> Table:
    entries_at = reverse("campaign-pay-entries", args=[campaign.slug])
    figures: tuple[tuple[str, str, Callable[[PersonsPay], object]], ...] = (
        ("owed", _("Owed in all"), lambda each: each.owed),
        ("paid", _("Paid"), lambda each: each.paid),
        ("in_a_file", _("In a file"), lambda each: each.filed),
        ("waiting", _("Waiting"), lambda each: each.waiting),
    )
    columns = [
        Column(
            "person", _("Person"), "link", lambda each: Link(each.pseudonym, f"{entries_at}?person={each.pseudonym}")
        ),
        Column("username", _("Account"), "text", lambda each: each.username),
        Column("currency", _("Currency"), "text", lambda each: each.currency),
        Column("entries", _("Entries"), "count", lambda each: each.entries),
        *(Column(key, label, "money", get) for key, label, get in figures),
    ]
    return Table("pay", _("By person"), columns, pay_by_person(campaign))
