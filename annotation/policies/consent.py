"""What a consent text takes from the campaign's settings, so that the two agree, and what its author left open."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.enums import Incentive
from annotation.models import Campaign
from annotation.policies.drafts import CONSENT, GUIDELINES, PAY, QUESTIONS, all_as_asked, section_content
from annotation.policies.money import shown_money
from annotation.policies.paid_amounts import incentive_asked
from annotation.policies.templates import ALL
from annotation.questions import InvalidSettings, UnknownQuestionType

MINUTE = 60
WORD = re.compile(r"\{([a-z_]+)\}")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
# Brackets that are no link, no picture, no reference to one, and not written to be read as brackets.
GAP = re.compile(r"(?<![\\!\]])\[([^\[\]\n]+)\](?![(\[:])")
REFERENCE = re.compile(r"^ {0,3}\[([^\[\]\n]+)\]:", re.MULTILINE)
LONGEST_SHOWN = 60


def filled(campaign: Campaign, text: str) -> str:
    """The text with its {words} replaced by what the settings say now."""
    return WORD.sub(lambda found: WORDS[found[1]](campaign) if found[1] in WORDS else found[0], text)


def words_now(campaign: Campaign) -> list[tuple[str, str]]:
    """Each {word} of a consent text, and what stands for it."""
    return [(f"{{{name}}}", say(campaign)) for name, say in WORDS.items()]


def open_places(campaign: Campaign, section: str) -> list[tuple[str, str]]:
    """What keeps a text from people: the section of the editor that mends it, and what is open there."""
    text = section_content(campaign, section)
    if section == GUIDELINES:
        # Brackets of the admin's own say what they mean; only those that are to be filled in are known here.
        return [(section, _left_open(gap)) for gap in gaps(text) if gap in _shipped()]
    found = [(section, _left_open(gap)) for gap in gaps(text)]
    used = WORD.findall(CODE.sub("", text))
    unknown = _("“%(word)s” in the consent text is none of the words that are filled in from the settings.")
    found += [(section, unknown % {"word": f"{{{word}}}"}) for word in dict.fromkeys(used) if word not in WORDS]
    if incentive_of(campaign) is None:
        return found
    if "time" in used and not campaign.expected_seconds:
        found.append((PAY, _("The consent text says how long an item takes: say how many seconds are expected.")))
    if "contact" in used and not campaign.contact:
        found.append((CONSENT, _("The consent text says whom people write to: give a contact.")))
    return found


def gaps(text: str) -> list[str]:
    """What stands in [brackets] for its author to fill in, each once."""
    plain = CODE.sub("", text)
    references = set(REFERENCE.findall(plain))
    found = dict.fromkeys(GAP.findall(plain))
    return [gap for gap in found if gap not in references and gap.strip().lower() not in ("", "x")]


def incentive_of(campaign: Campaign) -> str | None:
    """Of the amounts that the campaign's questions ask for; None where they ask for none."""
    try:
        return incentive_asked(all_as_asked(section_content(campaign, QUESTIONS)))
    except (InvalidSettings, UnknownQuestionType):
        return None


def _left_open(gap: str) -> str:
    shown = gap if len(gap) <= LONGEST_SHOWN else f"{gap[:LONGEST_SHOWN]}…"
    return _("Fill in “[%(gap)s]”: people would read it as it stands.") % {"gap": shown}


def _shipped() -> set[str]:
    return {gap for point in ALL for text in (point.guidelines, point.consent) for gap in gaps(str(text))}


def _time(campaign: Campaign) -> str:
    if not campaign.expected_seconds:
        return _("Take the time that an item needs.")
    is_session = bool(campaign.session_items) and incentive_of(campaign) not in (None, Incentive.STATED)
    count = campaign.session_items if is_session and campaign.session_items else 1
    seconds = campaign.expected_seconds * count
    if seconds < 2 * MINUTE:
        span = ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    else:
        span = ngettext("%(count)d minute", "%(count)d minutes", m := round(seconds / MINUTE)) % {"count": m}
    if not is_session:
        return _("An item takes about %(span)s.") % {"span": span}
    return _("It takes about %(span)s for %(count)d items.") % {"span": span, "count": count}


def _pay(campaign: Campaign) -> str:
    if not campaign.pay_per_judgment:
        return _("What you were promised is paid whatever you answer.")
    money = {"amount": shown_money(campaign.pay_per_judgment), "currency": campaign.pay_currency}
    said = _("You are paid %(amount)s %(currency)s for each item, whatever you answer.") % money
    if not campaign.screen_out_pay:
        return said
    money["amount"] = shown_money(campaign.screen_out_pay)
    more = _("Whom a test or a check ends the work for is paid %(amount)s %(currency)s more.") % money
    return f"{said} {more}"


def _money(campaign: Campaign) -> str:
    incentive = incentive_of(campaign)
    if incentive is None:
        return _("You are asked for no amounts of money.")
    if incentive == Incentive.STATED:
        return _("The amounts you name are hypothetical: no money changes hands. You cannot lose money of your own.")
    given = _endowments(campaign.endowments, campaign.currency)
    return _(
        "The amounts you name are real: you are given %(given)s to pay from, and one of your items is drawn and counts."
        " You cannot lose money of your own. What is left of what you are given is yours; the response that the draw"
        " decides goes to the person who asked, who has agreed to that."
    ) % {"given": given}


def _endowments(endowments: list[Decimal], currency: str) -> str:
    if not endowments:
        return _("money")
    amounts = [shown_money(each) for each in sorted(set(endowments))]
    if len(amounts) == 1:
        return f"{amounts[0]} {currency}"
    return _("%(amounts)s or %(last)s %(currency)s, whichever is drawn for you,") % {
        "amounts": ", ".join(amounts[:-1]),
        "last": amounts[-1],
        "currency": currency,
    }


def _withdrawal(campaign: Campaign) -> str:
    day = campaign.withdrawal_until
    until = (
        _("You may withdraw your answers at any time, by “Withdraw your answers” below your history.")
        if day is None
        else _("Until %(day)s (UTC) you may withdraw your answers, by “Withdraw your answers” below your history.")
        % {"day": date_format(day, "j F Y")}
    )
    cannot = _("What was published before cannot be recalled. Withdrawal never changes your pay.")
    return f"{until} {cannot}"


def _contact(campaign: Campaign) -> str:
    if not campaign.contact:
        return _("Write to whoever invited you with any question.")
    return _("Write to %(contact)s with any question.") % {"contact": campaign.contact}


WORDS: Mapping[str, Callable[[Campaign], str]] = {
    "time": _time,
    "pay": _pay,
    "money": _money,
    "withdrawal": _withdrawal,
    "contact": _contact,
}
