"""The words for what standings say in codes and counts: one sentence on whose preferences they are, notes, reasons."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.boards.slices import slice_words
from annotation.enums import Method, RespondentKind

Words = str | Promise

REASONS: dict[str, Words] = {
    "no_votes": gettext_lazy("No vote compares two models yet, so nobody has a rating."),
    "no_amounts": gettext_lazy("Nobody who was asked has given an amount yet."),
    "too_few_answers": gettext_lazy("Nobody has given five amounts yet, which it takes to know a person's own scale."),
    "not_connected": gettext_lazy("The amounts do not link all models to each other yet."),
    "one_prompt": gettext_lazy("All amounts are about one prompt; an interval needs two."),
    "only_zeros": gettext_lazy("Every amount so far is 0, so nothing orders the models."),
    "open_bounds": gettext_lazy("The prices that were taken or left do not pin the worths down yet."),
    "nothing_ranks": gettext_lazy(
        "There are judgments, but none of the questions that were asked orders models: such answers are read under"
        " “Watching” and leave in datasets."
    ),
    "not_compared": gettext_lazy("No judgment is about two models that could be told apart yet."),
    "all_alike": gettext_lazy("Every answer so far is the same, so nothing orders the models."),
    "too_few_scores": gettext_lazy("Too few scores so far to tell how far they vary by chance."),
}
NOTES: dict[str, Words] = {
    "few_annotators": gettext_lazy("Fewer than 20 people judged: this holds for these annotators."),
    "few_clusters": gettext_lazy("Fewer than 30 people or prompts stand behind the intervals: take them as rough."),
    "not_connected": gettext_lazy(
        "Some models never met, not even through others. They stand in groups, each ranked by itself; ratings of"
        " different groups cannot be compared."
    ),
    "separated": gettext_lazy(
        "Some models have only won or only lost against the rest: how far apart they are is not known yet."
    ),
    "anchored": gettext_lazy(
        "People’s amounts are put on one scale by items that all of them priced; those are left out of the worths."
    ),
    "few_anchors": gettext_lazy(
        "Nobody priced six items of those that everybody gets, so there is no common scale: amounts count as typed, and"
        " who names more counts for more."
    ),
    "censored": gettext_lazy(
        "Censored: more than 1 % of amounts are all that people had to pay from. The truth lies above."
    ),
    "bounded": gettext_lazy(
        "Some answers are prices taken or left: the worths are those that make them likeliest if what people would pay"
        " varies normally about its mean."
    ),
    "one_sided": gettext_lazy(
        "Censored: more than 1 % of answers took the highest price or left the lowest one. How far the truth lies"
        " beyond is filled in by the normal curve."
    ),
    "contradictory": gettext_lazy(
        "Some price lists take a price and leave a lower one. They count by the span they leave open; beside the worths"
        " stands what comes out without them."
    ),
    "side_not_separable": gettext_lazy("Whether the side shown mattered could not be told apart from the models."),
}
METHODS: dict[str, Words] = {
    Method.BRADLEY_TERRY: gettext_lazy(
        "Bradley-Terry. Votes that say neither answer was acceptable are left out: they say nothing about the order."
    ),
    Method.BT_HALF: gettext_lazy(
        "Bradley-Terry. Votes that say neither answer was acceptable count as half a win for each, as some other"
        " boards do."
    ),
}

# What stands behind the ratings where nobody was asked for a preference, by what was asked.
FORMS: dict[str, Words] = {
    "order": gettext_lazy(
        "Rankings, by the pairs they imply: whoever stands higher wins, equal places are half a win each, and of"
        " a best and a worst those between were not compared. A ranking of so many responses counts as one vote"
        " fewer than it has responses. A Bradley-Terry fit makes ratings of the pairs. It takes for granted that"
        " who is preferred of two does not depend on what else was shown; where only best and worst are named,"
        " ratings lie up to a tenth further apart than votes would put them. All pairs of a judgment belong to its"
        " person and its prompt, and intervals treat them as one."
    ),
    "scores": gettext_lazy(
        "Scores. Only differences between the responses of one judgment count, so that nobody gains by lenient"
        " people or easy prompts; where responses are scored alone, the mean of a model’s scores counts. A rating"
        " is the score that a model would get on average, found by least squares. It takes for granted that a step"
        " of the scale is worth the same everywhere and to everybody. Intervals treat what one person, and what"
        " one prompt, gave as belonging together."
    ),
    "share": gettext_lazy(
        "Shares: a rating is the percentage of a model’s responses that people said yes to, with a quarter of an"
        " answer added for yes and for no, so that few answers do not make a certainty. Responses are not compared"
        " with each other: it takes for granted that all models answered prompts, and were judged by people, of"
        " the same kind. Intervals treat what one person, and what one prompt, gave as belonging together."
    ),
}


def method_words(standings: Mapping[str, Any]) -> Words:
    """How the ratings came about. The method of a board is about votes; other answers have one way each."""
    form = standings.get("form")
    return FORMS[form] if form else METHODS[standings["method"]]


def reason_words(standings: Mapping[str, Any]) -> Words:
    """Why there are no ratings; empty where there are some. With votes that compare nobody it says which they are."""
    reason, judgments, excluded = standings["reason"], standings["people"]["judgments"], standings["excluded"]
    if reason is None:
        return ""
    if reason != "no_votes" or not judgments or excluded["left_out"] < judgments:
        return REASONS[reason]
    if excluded["neither"] == judgments:
        words = ngettext(
            "%(count)s vote so far, of “neither is acceptable”, which compares nobody.",
            "%(count)s votes so far, all of “neither is acceptable”, which compares nobody.",
            judgments,
        )
    elif excluded["cannot_compare"] == judgments:
        words = ngettext(
            "%(count)s vote so far, of “I cannot judge”, which compares nobody.",
            "%(count)s votes so far, all of “I cannot judge”, which compares nobody.",
            judgments,
        )
    else:
        words = _("%(count)s votes so far, all of “neither is acceptable” or “I cannot judge”, which compare nobody.")
    return words % {"count": f"{judgments:,}"}


def board_sentence(standings: Mapping[str, Any], slice: Mapping[str, Any] | None = None) -> str:
    """On whose preferences over which prompts, from when to when, how much of it is simulated; of a slice, which."""
    part = slice_words(slice or {})
    said = _whole_sentence(standings)
    return f"{said} {_('A part of the whole: %(part)s.') % {'part': part}}" if part else said


def _whole_sentence(standings: Mapping[str, Any]) -> str:
    people = standings["people"]
    if not people["judgments"]:
        return _("Nobody has judged anything here yet.")
    words = {"who": _who(people), "what": _what(people["prompts"]), "when": _when(people["period"])}
    sentence = _said_by(standings) % words
    made_up = people["sources"]["simulation"]
    if made_up == people["judgments"]:
        return f"{sentence} {_('All of it is simulated: these people do not exist.')}"
    if made_up:
        share = {"simulated": f"{made_up:,}", "all": f"{people['judgments']:,}"}
        return f"{sentence} {_('%(simulated)s of %(all)s judgments are simulated: nobody gave them.') % share}"
    return sentence


def _said_by(standings: Mapping[str, Any]) -> str:
    """What people were asked for: a preference is only claimed where it was."""
    if "form" not in standings:
        return _("What %(who)s preferred on %(what)s%(when)s.")
    return {
        "order": _("In which order %(who)s put responses to %(what)s%(when)s."),
        "scores": _("How %(who)s rated responses to %(what)s%(when)s."),
        "share": _("Which responses to %(what)s %(who)s said yes to%(when)s."),
    }.get(standings["form"], _("What %(who)s judged on %(what)s%(when)s."))


def _who(people: Mapping[str, Any]) -> str:
    named = [_kind(kind, count) for kind in RespondentKind if (count := people["respondents"].get(kind, 0))]
    if people["unnamed_judgments"]:
        named.append(_("people whom an imported file does not name"))
    return get_text_list(named, _("and"))


def _kind(kind: str, count: int) -> str:
    words = {
        RespondentKind.VISITOR: ngettext("%(count)s visitor", "%(count)s visitors", count),
        RespondentKind.ANNOTATOR: ngettext("%(count)s annotator", "%(count)s annotators", count),
        RespondentKind.EXPERT: ngettext("%(count)s expert", "%(count)s experts", count),
        RespondentKind.MODEL_JUDGE: ngettext("%(count)s model judge", "%(count)s model judges", count),
        RespondentKind.RULE: ngettext("%(count)s rule", "%(count)s rules", count),
        RespondentKind.IMPORTED: ngettext("%(count)s imported person", "%(count)s imported people", count),
        RespondentKind.SIMULATED: ngettext("%(count)s simulated person", "%(count)s simulated people", count),
    }
    return words[RespondentKind(kind)] % {"count": f"{count:,}"}


def _what(prompts: Mapping[str, int]) -> str:
    own, given, unknown = prompts["own"], prompts["given"], prompts["unknown"]
    parts = []
    if own:
        words = ngettext("%(count)s prompt of their own", "%(count)s prompts of their own", own)
        parts.append(words % {"count": f"{own:,}"})
    if given:
        parts.append(ngettext("%(count)s given prompt", "%(count)s given prompts", given) % {"count": f"{given:,}"})
    if unknown and not parts:
        return _("prompts that are not known")
    if unknown:
        words = ngettext("%(count)s prompt that is not known", "%(count)s prompts that are not known", unknown)
        parts.append(words % {"count": f"{unknown:,}"})
    return get_text_list(parts, _("and"))


def _when(period: Sequence[str] | None) -> str:
    """With its comma; empty where it is not known."""
    if period is None:
        return ""
    first, last = (date_format(date.fromisoformat(day), "j F Y") for day in period)
    if first == last:
        return _(", %(day)s") % {"day": first}
    return _(", %(first)s to %(last)s") % {"first": first, "last": last}


def interval_words(entry: Mapping[str, Any], decimals: int = 0) -> str:
    """The 95 % interval of a rating; empty where there is none."""
    lower, upper = entry["lower"], entry["upper"]
    if entry["rating"] is None or (lower is None and upper is None):
        return ""
    ends = {"lower": "" if lower is None else number(lower, decimals), "upper": number(upper or 0.0, decimals)}
    if lower is None:
        return _("below %(upper)s") % ends
    if upper is None:
        return _("above %(lower)s") % ends
    return _("%(lower)s to %(upper)s") % ends


def number(value: float, decimals: int) -> str:
    """As in the texts around it; whole points have no decimals. number_format alone cuts off."""
    return number_format(round(value, decimals), decimals) if decimals else f"{value:.0f}"


def standing_words(entry: Mapping[str, Any]) -> str:
    """A contestant's rating with its interval, the ranks it may have and its votes; empty without a rating."""
    if entry["rating"] is None:
        return ""
    rating = _("Rating %(rating)s") % {"rating": f"{entry['rating']:.0f}"}
    if interval := interval_words(entry):
        rating = _("%(rating)s (%(interval)s)") % {"rating": rating, "interval": interval}
    low, high, votes = entry["rank_low"], entry["rank_high"], entry["votes"]
    ranks = _("rank %(rank)s") if low == high else _("rank %(rank)s to %(last)s")
    from_votes = ngettext("from %(votes)s vote", "from %(votes)s votes", votes) % {"votes": f"{votes:,}"}
    return ", ".join([rating, ranks % {"rank": low, "last": high}, from_votes])
