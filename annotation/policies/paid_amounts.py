"""What a campaign with paid amounts must have, and the most that one person's session can come to."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from annotation.enums import Incentive
from annotation.models import Campaign
from annotation.policies.anchors import REPEATED, shortest_session
from annotation.policies.draws import CENT
from annotation.questions import Asked

WORTH, PAY, DESIGN, ITEMS, QUESTIONS = "worth", "pay", "design", "items", "questions"


def incentive_asked(asked: Sequence[Asked]) -> str | None:
    """That of the question for amounts; None where none is asked."""
    return next((str(each.settings["incentive"]) for each in asked if each.type == "amount"), None)


def money_shown(campaign: Campaign, questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The members of a Situation in which these questions, as a draft writes them, can be drawn before a session."""
    settings: Mapping[str, Any] = next(
        (each.get("settings", {}) for each in questions if each.get("type") == "amount"), {}
    )
    incentive = settings.get("incentive", Incentive.STATED.value)
    if incentive == Incentive.STATED or incentive not in Incentive.values:
        return {}
    return {"incentive": incentive, "endowment": campaign.endowments[0] if campaign.endowments else Decimal(10)}


def most_per_session(campaign: Campaign, endowment: Decimal, *, checks: int) -> Decimal:
    """Pay for every item of a session, for every check beside them, and all of the endowment."""
    pay = campaign.pay_per_judgment or Decimal(0)
    return endowment + pay * ((campaign.session_items or 0) + checks)


def most_one_costs(campaign: Campaign, *, checks: int) -> Decimal | None:
    """The most that anybody's session comes to; None before that can be said."""
    if not campaign.endowments or campaign.session_items is None:
        return None
    return most_per_session(campaign, max(campaign.endowments), checks=checks)


def missing_for_amounts(
    campaign: Campaign, incentive: str | None, *, work: int, anchors: int, checks: int
) -> list[tuple[str, str]]:
    """Sections of the editor and what is wrong there; nothing where amounts are only stated."""
    if incentive is None or incentive == Incentive.STATED:
        return []
    found = []
    if incentive == Incentive.PAID_SELF:
        found.append((QUESTIONS, _("Amounts for one's own prompts cannot be paid here: nothing could be delivered.")))
    if not campaign.endowments:
        found.append((WORTH, _("Say what people are given to pay from.")))
    if campaign.session_items is None:
        found.append((WORTH, _("Say after how many items a session's answers are locked.")))
    elif campaign.session_items < shortest_session(anchors):
        found.append((WORTH, _("A session is too short for all anchors and those that come back.")))
    elif campaign.session_items > work + anchors + min(anchors, REPEATED):
        found.append((ITEMS, _("There are fewer items than a session has.")))
    if campaign.screen_out_pay is None:
        found.append((PAY, _("Say what somebody is paid who fails the comprehension check.")))
    if campaign.currency != campaign.pay_currency:
        found.append((DESIGN, _("Paid amounts are counted in the currency of pay.")))
    return found + _missing_budget(campaign, checks)


def _missing_budget(campaign: Campaign, checks: int) -> list[tuple[str, str]]:
    if campaign.budget_money is None:
        return [(DESIGN, _("Paid amounts need a most money: sessions begin as long as it covers them."))]
    most = most_one_costs(campaign, checks=checks)
    if most is not None and campaign.budget_money < most:
        words = _("One person's session can come to %(most)s, more than the campaign's money.")
        return [(DESIGN, words % {"most": f"{most.quantize(CENT)} {campaign.pay_currency}"})]
    return []
