"""How a campaign goes: progress and costs, agreement, annotators, items people differ about, and their reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from annotation.forms.watching import RationalesForm
from annotation.models import Campaign, Respondent
from annotation.policies.flags import AnnotatorFigures, reasons_to_look, thresholds
from annotation.queries.blocked import blocked_people
from annotation.queries.reviews import respondent_called, settled_items
from annotation.queries.said import (
    LOOKED_THROUGH,
    SHOWN,
    Look,
    excerpts,
    look_for,
    questions_in_words,
    raised_flags,
    with_words,
)
from annotation.queries.sessions import deviations_in
from annotation.queries.summaries import Summary
from annotation.use_cases.summarise_quality import summary_for
from annotation.web.access import for_campaign_admins
from annotation.web.managed import managed_campaign
from annotation.web.tables import Table, chosen, csv_response, shown_table
from annotation.web.watching_charts import (
    agreement_rows,
    alpha_axis,
    hour_bars,
    hour_names,
    progress_bars,
    strips,
)
from annotation.web.watching_tables import (
    KINDS,
    annotators_table,
    blocked_first,
    costs_of,
    flags_table,
    hours_table,
    items_table,
    named,
    progress_table,
    question_titles,
    questions_table,
    rationales_table,
    slices_table,
)

FLAGS_SHOWN = 100
# In one file of flags or rationales; both are read one by one.
MOST_IN_FILE = 1_000
# Of a page's tables the one that its address sorts and pages; the others are short.
SORTED = {"slices", "annotators", "items"}


@require_GET
@for_campaign_admins
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, summary = watched(slug)
    if summary is None:
        return waiting(request, campaign, "progress")
    tables = [progress_table(campaign, summary.progress), hours_table(summary.progress.hours)]
    titles = question_titles(campaign)
    context = {
        "progress": summary.progress,
        "bars": progress_bars(summary.progress),
        "hour_bars": hour_bars(summary.progress.hours),
        "hour_names": hour_names(summary.progress.hours),
        "most_in_hour": max((hour.answers for hour in summary.progress.hours), default=0),
        "costs": costs_of(campaign, summary.progress),
        "agreement": agreement_rows([summary.overall] if summary.overall else [], lambda each: named(titles, each)),
        "compared": len([each for each in summary.questions if each.alpha is not None]),
        "axis": alpha_axis(),
    }
    return answer(request, "progress", campaign, summary, tables, context)


@require_GET
@for_campaign_admins
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, summary = watched(slug)
    if summary is None:
        return waiting(request, campaign, "agreement")
    together = [summary.overall] if summary.overall and len(summary.questions) > 1 else []
    tables = [questions_table(campaign, [*together, *summary.questions]), slices_table(campaign, summary.slices)]
    titles = question_titles(campaign)
    first = [each for each in summary.slices if each.question == summary.questions[0].question]
    context = {
        "of_questions": agreement_rows([*together, *summary.questions], lambda each: named(titles, each)),
        "is_together": bool(together),
        "of_slices": agreement_rows(first, lambda each: f"{KINDS[each.kind]}: {each.name}"),
        "first": titles.get(summary.questions[0].question, "") if summary.questions else "",
        "axis": alpha_axis(),
    }
    return answer(request, "agreement", campaign, summary, tables, context)


@require_GET
@for_campaign_admins
def annotators(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, summary = watched(slug)
    if summary is None:
        return waiting(request, campaign, "annotators")
    respondents = Respondent.objects.filter(campaign=campaign).only("pseudonym", "state", "kind").in_bulk()
    reasons = {each.respondent: reasons_to_look(each, pass_mark=campaign.pass_mark) for each in summary.annotators}
    flagged = {pk for pk, found in reasons.items() if found}
    blocked = blocked_people(campaign)
    look = {pk: blocked_first(blocked.get(pk), reasons.get(pk, [])) for pk in {*reasons, *blocked}}
    labels = {
        "checks": _("Checks right"),
        "repeats": _("Same answer again"),
        "with_others": _("Same answer as others"),
        "left": _("Left side preferred"),
        "fast": _("Too fast"),
    }
    first = sorted(summary.annotators, key=lambda each: -len(reasons[each.respondent]))
    # Whoever was blocked has nothing that stands, and stays in the list with what was said of it.
    gone = [AnnotatorFigures(respondent=pk, judgments=0) for pk in blocked if pk not in reasons]
    tables = [annotators_table(campaign, [*first, *gone], respondents, look, deviations_in(campaign))]
    context = {
        "strips": strips(summary.annotators, flagged, labels),
        "flagged": len(flagged),
        "judged": len(summary.annotators),
        "limits": thresholds(pass_mark=campaign.pass_mark),
    }
    return answer(request, "annotators", campaign, summary, tables, context)


@require_GET
@for_campaign_admins
def items(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, summary = watched(slug)
    if summary is None:
        return waiting(request, campaign, "items")
    flags = raised_flags(campaign)
    shown = with_words(list(flags[: MOST_IN_FILE if is_file(request, "flags") else FLAGS_SHOWN]))
    about = excerpts(each["item"] for each in summary.items)
    settled = settled_items({*about, *(each.flag.item_id for each in shown)})
    tables = [items_table(campaign, summary.items, about, settled), flags_table(campaign, shown, settled)]
    return answer(request, "items", campaign, summary, tables, {"flags": flags.count(), "flags_shown": len(shown)})


@require_GET
@for_campaign_admins
def rationales(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = managed_campaign(slug)
    form = RationalesForm(request.GET, questions=questions_in_words(campaign.instrument_id))
    wanted, before = form.chosen, request.GET.get("before", "")
    respondent = respondent_called(campaign, wanted["annotator"]) if wanted["annotator"] else None
    if wanted["annotator"] and respondent is None:
        look = Look([], 0, 0, None)
    else:
        look = look_for(
            campaign,
            wanted["q"],
            before=int(before) if before.isdecimal() and before.isascii() and len(before) < 19 else None,
            most=MOST_IN_FILE if is_file(request, "rationales") else SHOWN,
            respondent=respondent,
            question=wanted["question"],
        )
    settled = settled_items({each.item_id for each in look.found})
    tables = [rationales_table(campaign, look.found, settled)]
    context = {
        "form": form,
        "chosen": wanted,
        "look": look,
        "most": LOOKED_THROUGH,
        "is_later": bool(before),
        "nobody": bool(wanted["annotator"]) and respondent is None,
        "settled": settled,
    }
    return answer(request, "rationales", campaign, None, tables, context)


def watched(slug: str) -> tuple[Campaign, Summary | None]:
    campaign = managed_campaign(slug)
    return campaign, summary_for(campaign=campaign, now=timezone.now())


def waiting(request: HttpRequest, campaign: Campaign, page: str) -> HttpResponse:
    """Nothing was computed yet; the page asks again by itself."""
    return render(request, "annotation/watching/waiting.html", {"campaign": campaign, "watching": page})


def is_file(request: HttpRequest, table: str) -> bool:
    return request.GET.get("format") == "csv" and request.GET.get("table", table) == table


def answer(
    request: HttpRequest,
    page: str,
    campaign: Campaign,
    summary: Summary | None,
    tables: Sequence[Table],
    context: Mapping[str, Any],
) -> HttpResponse:
    """The page, or the table of it that is asked for as a file."""
    if request.GET.get("format") == "csv":
        table = chosen(tables, request.GET.get("table"))
        if table is None:
            raise Http404
        return csv_response(table, name=campaign.slug)
    shown = {table.name: shown_table(table, request.GET if table.name in SORTED else {}) for table in tables}
    base: dict[str, Any] = {"campaign": campaign, "summary": summary, "watching": page, "tables": shown}
    return render(request, f"annotation/watching/{page}.html", base | dict(context))
