"""The tables of the pages on which admins watch a campaign."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.boards.agreement import Agreement
from annotation.enums import CampaignState, FlagReason, RespondentState
from annotation.models import Campaign, Respondent
from annotation.policies.flags import AnnotatorFigures
from annotation.queries.log import instrument_questions
from annotation.queries.people import KINDS as KINDS_OF_PEOPLE
from annotation.queries.said import Excerpt, RaisedFlag, Rationale
from annotation.queries.summaries import Hour, Progress
from annotation.questions import get_type
from annotation.web.tables import Column, Interval, Link, Table

Text = str | Promise
KINDS: Mapping[str, Text] = {"category": _("Category"), "language": _("Language"), "group": _("Group of annotators")}


COSTS: Mapping[str, Text] = {
    "owed": _("Owed in all"),
    "fees": _("Fees of judgments"),
    "withdrawn": _("Fees withdrawn"),
    "bonuses": _("Bonuses"),
    "screen_outs": _("Screen-outs"),
    "draws": _("Draws"),
    "per_judgment": _("Owed in all per judgment of work"),
    "per_accepted": _("Cost per accepted judgment"),
    "to_come": _("Still to come for the work that is open"),
    "left": _("Money left"),
    "judgments_left": _("Judgments left in the budget"),
}
# What is left out where there is none of it.
SELDOM = ("withdrawn", "bonuses", "screen_outs", "draws")


def costs_of(campaign: Campaign, progress: Progress) -> dict[str, Decimal | int | None]:
    """By the ledger. None where nothing is paid, or no budget was set."""
    pay, money, work = campaign.pay_per_judgment, progress.money, progress.work
    budget, asked = campaign.budget_judgments, campaign.state != CampaignState.CLOSED
    found: dict[str, Decimal | int | None] = dict.fromkeys(COSTS)
    if pay is not None or money.owed or money.fees:
        found |= {name: getattr(money, name) for name in ("owed", "fees")}
        found |= {name: getattr(money, name) or None for name in SELDOM}
        found["per_judgment"] = money.owed / work if work else None
        found["per_accepted"] = money.decided / progress.accepted if progress.accepted else None
        found["to_come"] = pay * (progress.open + progress.claimed) if pay is not None and asked else None
        found["left"] = None if campaign.budget_money is None else max(campaign.budget_money - money.owed, Decimal(0))
    found["judgments_left"] = None if budget is None else max(budget - progress.taken, 0)
    return found


def progress_table(campaign: Campaign, progress: Progress) -> Table:
    costs = costs_of(campaign, progress)
    rows = [
        (_("Judgments of work done"), progress.done),
        (_("Judgments of work wanted"), progress.wanted),
        (_("Open"), progress.open),
        (_("Claimed"), progress.claimed),
        (_("Annotators whose judgments stand"), progress.people),
        (_("Answers that stand, with checks and repeats"), progress.answers),
        (_("Of these in the last 24 hours"), progress.last_day),
        (_("Accepted judgments"), progress.accepted),
        *((str(label), costs[name]) for name, label in COSTS.items() if costs[name] is not None),
    ]
    columns = [
        Column("figure", _("Figure"), "text", lambda row: row[0], is_sorted=False),
        Column("value", _("Value"), "plain", lambda row: row[1], is_sorted=False),
    ]
    return Table("progress", _("Progress and costs"), columns, rows)


def hours_table(hours: Sequence[Hour]) -> Table:
    columns = [
        Column("hour", _("Hour, UTC"), "text", lambda hour: f"{hour.begin:%Y-%m-%d %H:%M}"),
        Column("answers", _("Judgments"), "count", lambda hour: hour.answers),
        Column("work", _("of work"), "count", lambda hour: hour.work),
    ]
    return Table("hours", _("Judgments per hour"), columns, hours)


def questions_table(campaign: Campaign, agreements: Sequence[Agreement]) -> Table:
    titles = question_titles(campaign)
    columns = [Column("question", _("Question"), "text", lambda each: named(titles, each))]
    return Table("questions", _("Per question"), columns + agreement_columns(), agreements)


def slices_table(campaign: Campaign, agreements: Sequence[Agreement]) -> Table:
    titles = question_titles(campaign)
    columns = [
        Column("slice", _("Slice"), "text", lambda each: each.name),
        Column("kind", _("of"), "text", lambda each: str(KINDS[each.kind])),
        Column("question", _("Question"), "text", lambda each: named(titles, each)),
    ]
    return Table("slices", _("Per slice"), columns + agreement_columns(), agreements)


def agreement_columns() -> list[Column]:
    return [
        Column("alpha", _("Agreement"), "interval", alpha_of, note=_("Krippendorff’s α, 95 % interval")),
        Column("same", _("Same answer"), "percent", lambda each: each.same, note=_("of pairs of judgments")),
        Column("units", _("Judged twice"), "count", lambda each: each.units, note=_("items, or responses of them")),
        Column("judgments", _("Judgments"), "count", lambda each: each.judgments),
    ]


def alpha_of(agreement: Agreement) -> Interval | None:
    return None if agreement.alpha is None else Interval(agreement.alpha, agreement.lower, agreement.upper)


def named(titles: Mapping[str, str], agreement: Agreement) -> str:
    """What an agreement is about."""
    if agreement.kind == "overall" and not agreement.question:
        return str(_("All questions together"))
    return titles.get(agreement.question, agreement.question)


def question_titles(campaign: Campaign) -> dict[str, str]:
    """What each question of the campaign's instrument asks, by its name."""
    asked = instrument_questions(campaign.instrument_id) if campaign.instrument_id else ()
    return {question.name: str(question.title or get_type(question.type).title) for question in asked}


def annotators_table(
    campaign: Campaign,
    figures: Sequence[AnnotatorFigures],
    respondents: Mapping[int, Respondent],
    look: Mapping[int, Sequence[str]],
    deviations: Mapping[int, float | None] | None = None,
) -> Table:
    """`look` says of a respondent why to look."""
    columns = [
        Column("annotator", _("Annotator"), "link", lambda each: person_link(campaign, respondents, each.respondent)),
        Column("look", _("Why to look"), "reasons", lambda each: look[each.respondent]),
        Column("state", _("State"), "text", lambda each: state_of(respondents, each.respondent)),
        Column("judgments", _("Judgments"), "count", lambda each: each.judgments),
        Column("seconds", _("Median time"), "seconds", lambda each: each.median_seconds),
        Column("checks", _("Checks right"), "share", lambda each: each.checks),
        Column("repeats", _("Same again"), "share", lambda each: each.repeats, note=_("on repeated items")),
        Column("left", _("Left side"), "share", lambda each: each.left, note=_("of preferences; 99 % interval")),
        Column(
            "others", _("As others"), "share", lambda each: each.with_others, note=_("pairs with another’s judgment")
        ),
        Column("alike", _("Beyond chance"), "interval", _alike, note=_("as others, the first question; 0 is a guess")),
        Column("reliability", _("Reliability"), "estimate", lambda each: each.truthful, note=_("½ is a guess")),
        Column("most_used", _("Most used answer"), "share", lambda each: each.most_used),
        Column("values", _("Answers used"), "text", _values_used, is_sorted=False),
        Column("drift", _("Drift of time"), "change", lambda each: each.drift, note=_("last over first")),
        Column("fatigue", _("Fatigue"), "factor", lambda each: each.fatigue, note=_("time, within a session")),
        Column("fast", _("Too fast"), "share", lambda each: each.fast),
    ]
    if deviations:
        columns.append(deviation_column(deviations))
    return Table("annotators", _("Annotators"), columns, figures)


def deviation_column(deviations: Mapping[int, float | None]) -> Column:
    """How far somebody's practice bids were from what the cards are worth."""
    note = _("bids over worth, less one; half is −50 %")
    return Column("practice", _("Practice"), "percent", lambda each: deviations.get(each.respondent), note=note)


def blocked_first(block: str | None, reasons: Sequence[str]) -> list[str]:
    """`block` is what was said when somebody was blocked; None of everybody else."""
    if block is None:
        return list(reasons)
    words = _("blocked: %(reason)s") % {"reason": block} if block else _("blocked")
    return [str(words), *reasons]


def person_link(campaign: Campaign, respondents: Mapping[int, Respondent], pk: int) -> Link:
    """Imported and simulated people have no page of their own."""
    found = respondents.get(pk)
    if found is None or found.kind not in KINDS_OF_PEOPLE:
        return Link(found.pseudonym if found else str(pk), "")
    return Link(found.pseudonym, reverse("campaign-person", args=[campaign.slug, pk]))


def state_of(respondents: Mapping[int, Respondent], pk: int) -> str:
    return str(RespondentState(respondents[pk].state).label) if pk in respondents else ""


def _alike(figures: AnnotatorFigures) -> Interval | None:
    alike = figures.alike
    return None if alike is None else Interval(alike.value, alike.lower, alike.upper)


def _values_used(figures: AnnotatorFigures) -> str | None:
    return f"{figures.values_used} / {figures.values}" if figures.values else None


def items_table(
    campaign: Campaign,
    items: Sequence[Mapping[str, Any]],
    about: Mapping[int, Excerpt],
    settled: Collection[int],
) -> Table:
    columns = [
        Column("item", _("Item"), "link", lambda each: item_link(campaign, each["item"]), is_sorted=False),
        Column("disagreement", _("Disagreement"), "percent", lambda each: each["apart"]),
        Column("people", _("Annotators"), "count", lambda each: each["people"]),
        Column("prompt", _("Prompt"), "words", lambda each: prompt_of(about, each["item"]), is_sorted=False),
        Column("category", _("Category"), "text", lambda each: about[each["item"]].category),
        settled_column(settled, lambda each: each["item"]),
    ]
    return Table("items", _("Items by disagreement"), columns, items)


def settled_column(settled: Collection[int], item: Callable[[Any], int]) -> Column:
    """Whether an expert's answer settled the item that a row is about; what people said of it is shown all the same."""
    return Column("settled", _("Settled"), "text", lambda each: str(_("by an expert")) if item(each) in settled else "")


def prompt_of(about: Mapping[int, Excerpt], item: int) -> str:
    words = about[item].words
    return str(_("Somebody’s own words, sealed")) if words is None else words


def flags_table(campaign: Campaign, flags: Sequence[RaisedFlag], settled: Collection[int]) -> Table:
    columns = [
        Column("item", _("Item"), "link", lambda each: item_link(campaign, each.flag.item_id), is_sorted=False),
        Column("reason", _("Reason"), "text", lambda each: str(FlagReason(each.flag.reason).label), is_sorted=False),
        Column("words", _("In their words"), "words", words_of, is_sorted=False),
        Column("annotator", _("Annotator"), "text", lambda each: each.flag.respondent.pseudonym, is_sorted=False),
        Column("raised", _("Raised"), "moment", lambda each: each.flag.created_at, is_sorted=False),
        Column("resolved", _("Resolved"), "moment", lambda each: each.flag.resolved_at, is_sorted=False),
        Column("outcome", _("What became of it"), "words", lambda each: each.outcome, is_sorted=False),
        settled_column(settled, lambda each: each.flag.item_id),
    ]
    return Table("flags", _("Flags raised"), columns, flags)


def words_of(raised: RaisedFlag) -> str:
    return str(_("Erased")) if raised.words is None else raised.words


def rationales_table(campaign: Campaign, rationales: Sequence[Rationale], settled: Collection[int]) -> Table:
    columns = [
        Column("item", _("Item"), "link", lambda each: item_link(campaign, each.item_id)),
        Column("question", _("Question"), "text", lambda each: each.question),
        Column("preferred", _("Preferred"), "text", lambda each: each.preferred),
        Column("preferred_response", _("Preferred response"), "text", lambda each: each.response),
        Column("words", _("Words"), "text", lambda each: each.words),
        Column("annotator", _("Annotator"), "text", lambda each: each.pseudonym),
        Column("given", _("Given"), "moment", lambda each: each.submitted_at),
        settled_column(settled, lambda each: each.item_id),
    ]
    return Table("rationales", _("Rationales"), columns, rationales)


def item_link(campaign: Campaign, item: int) -> Link:
    return Link(str(item), reverse("campaign-item", args=[campaign.slug, item]))
