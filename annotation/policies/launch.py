"""What a campaign must have before people judge in it, and what its pay comes to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import Campaign
from annotation.policies.conflicts import conflicts_in_words
from annotation.policies.consent import open_places
from annotation.policies.drafts import ABOUT, CONSENT, DESIGN, GUIDELINES, PAY, QUESTIONS, all_as_asked, section_content
from annotation.policies.paid_amounts import incentive_asked, missing_for_amounts, money_shown
from annotation.policies.withdrawals import is_open
from annotation.questions import (
    Asked,
    InvalidSettings,
    QuestionDoesNotFit,
    Situation,
    UnknownQuestionType,
    get_type,
)

ITEMS = "items"
HOUR = 3600
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Supply:
    """How many items of each purpose a campaign has that can be judged; how many wait for their responses, and how
    many gold items to be checked by an admin."""

    work: int = 0
    gold: int = 0
    attention: int = 0
    qualification: int = 0
    training: int = 0
    filling: int = 0
    proposed: int = 0
    anchors: int = 0
    checks: int = 0  # gold, attention, training and test items together


@dataclass(frozen=True)
class Missing:
    """One thing that stands against a launch, and the section of the editor that mends it."""

    section: str
    text: str


def hourly_pay(campaign: Campaign) -> Decimal | None:
    """Pay per active hour at the expected pace, to the cent; None where either is not known."""
    if campaign.pay_per_judgment is None or not campaign.expected_seconds:
        return None
    return (campaign.pay_per_judgment * HOUR / campaign.expected_seconds).quantize(CENT, ROUND_HALF_UP)


def missing_before_launch(campaign: Campaign, supply: Supply, now: datetime) -> list[Missing]:
    """All of it at once, in the order of the editor; nothing where the campaign can start."""
    return [
        *_missing_words(campaign, now),
        *_missing_questions(campaign),
        *_missing_items(campaign, supply),
        *_missing_time(campaign, now),
        *missing_pay(campaign),
        *_missing_amounts(campaign, supply),
    ]


def missing_pay(campaign: Campaign) -> list[Missing]:
    pay, floor, currency = campaign.pay_per_judgment, campaign.pay_floor, campaign.pay_currency
    found = []
    if floor and pay is None:
        found.append(Missing(PAY, _("A least pay per hour is set, but no pay per judgment.")))
    if pay is not None and not campaign.expected_seconds:
        found.append(Missing(PAY, _("Say how many seconds an item is expected to take, or nobody knows the pay.")))
    hourly = hourly_pay(campaign)
    if floor and hourly is not None and hourly < floor:
        figures = {"pay": f"{hourly} {currency}", "floor": f"{floor.quantize(CENT)} {currency}"}
        found.append(Missing(PAY, _("The pay comes to %(pay)s an hour, below the least of %(floor)s.") % figures))
    if pay and campaign.budget_money is not None and campaign.budget_money < pay:
        found.append(Missing(DESIGN, _("The budget does not pay a single judgment.")))
    return found


def unfit(asked: Asked, situation: Situation) -> str:
    """Why this question cannot be asked about such items; empty where it can."""
    kind = get_type(asked.type)
    try:
        kind.check_fit(asked, situation)
    except QuestionDoesNotFit:
        return _("“%(question)s” cannot be asked about %(count)d responses. Change it, or the responses per item.") % {
            "question": asked.title or str(kind.title),
            "count": situation.responses,
        }
    return ""


def _missing_words(campaign: Campaign, now: datetime) -> list[Missing]:
    found = []
    if not campaign.purpose.strip():
        found.append(Missing(ABOUT, _("Say what the campaign is for.")))
    if not section_content(campaign, CONSENT).strip():
        found.append(Missing(CONSENT, _("Write the consent text that people agree to before they judge.")))
    found += [Missing(*each) for each in open_places(campaign, CONSENT)]
    if not is_open(campaign.withdrawal_until, now):
        found.append(Missing(CONSENT, _("The last day for withdrawals has passed.")))
    if not section_content(campaign, GUIDELINES).strip():
        found.append(Missing(GUIDELINES, _("Write the guidelines.")))
    found += [Missing(*each) for each in open_places(campaign, GUIDELINES)]
    return found


def _missing_questions(campaign: Campaign) -> list[Missing]:
    questions = section_content(campaign, QUESTIONS)
    if not questions:
        return [Missing(QUESTIONS, _("Add at least one question."))]
    try:
        asked = all_as_asked(questions)
    except (InvalidSettings, UnknownQuestionType) as invalid:
        return [Missing(QUESTIONS, _("The questions cannot be asked as they stand: %(why)s.") % {"why": invalid})]
    if against := conflicts_in_words(asked):
        return [Missing(QUESTIONS, capfirst(each)) for each in against]
    count = campaign.responses_per_item
    money = money_shown(campaign, questions)
    situation = Situation(responses=count, currency=campaign.currency, texts=("Text.",) * count, **money)
    return [Missing(QUESTIONS, why) for each in asked if (why := unfit(each, situation))]


def _missing_amounts(campaign: Campaign, supply: Supply) -> list[Missing]:
    try:
        incentive = incentive_asked(all_as_asked(section_content(campaign, QUESTIONS)))
    except (InvalidSettings, UnknownQuestionType):
        return []  # said with the questions
    counts = {"work": supply.work, "anchors": supply.anchors, "checks": supply.checks}
    return [Missing(*each) for each in missing_for_amounts(campaign, incentive, **counts)]


def _missing_items(campaign: Campaign, supply: Supply) -> list[Missing]:
    found: list[Missing] = []
    if campaign.is_arena:
        return found  # visitors bring them
    if not supply.work and supply.filling:
        found.append(Missing(ITEMS, _("No item has its responses yet: wait for the first, or see what keeps them.")))
    elif not supply.work:
        found.append(Missing(ITEMS, _("Add the items that are to be judged.")))
    if campaign.gold_share and not supply.gold and supply.proposed:
        found.append(Missing(ITEMS, _("A share of gold items is set, and those proposed wait for your check.")))
    elif campaign.gold_share and not supply.gold:
        found.append(Missing(ITEMS, _("A share of gold items is set, but there is no gold item.")))
    if campaign.attention_share and not supply.attention:
        found.append(Missing(ITEMS, _("A share of attention checks is set, but there is no attention check.")))
    if campaign.pass_mark is not None and not supply.qualification:
        found.append(Missing(ITEMS, _("A pass mark is set, but there is no item of a qualification test.")))
    return found


def never_shown(campaign: Campaign, supply: Supply) -> list[Missing]:
    """Items that the campaign has and shows nobody. It can run all the same, but hardly anybody means it."""
    found = []
    if supply.gold and not campaign.gold_share:
        words = ngettext(
            "%(count)d gold item is never shown: the share of gold items is 0.",
            "%(count)d gold items are never shown: the share of gold items is 0.",
            supply.gold,
        )
        found.append(Missing(DESIGN, words % {"count": supply.gold}))
    if supply.attention and not campaign.attention_share:
        words = ngettext(
            "%(count)d attention check is never shown: the share of attention checks is 0.",
            "%(count)d attention checks are never shown: the share of attention checks is 0.",
            supply.attention,
        )
        found.append(Missing(DESIGN, words % {"count": supply.attention}))
    return found


def stops_early(campaign: Campaign, wanted: int) -> list[Missing]:
    """Limits that end the campaign before its `wanted` judgments of work are there."""
    found = []
    if campaign.budget_judgments is not None and campaign.budget_judgments < wanted:
        words = _("It stops early: the most judgments, %(most)d, are fewer than the %(wanted)d that its items want.")
        found.append(Missing(DESIGN, words % {"most": campaign.budget_judgments, "wanted": wanted}))
    pay, most = campaign.pay_per_judgment, campaign.budget_money
    if pay and most is not None and most < pay * wanted:
        words = _("It stops early: %(most)s pays for %(paid)d of the %(wanted)d judgments that its items want.")
        figures = {"most": f"{most} {campaign.pay_currency}", "paid": most // pay, "wanted": wanted}
        found.append(Missing(DESIGN, words % figures))
    return found


def _missing_time(campaign: Campaign, now: datetime) -> list[Missing]:
    if campaign.deadline is not None and campaign.deadline <= now:
        return [Missing(DESIGN, _("The deadline has passed."))]
    return []
