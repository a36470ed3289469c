"""What a board's page says of its two orders, by votes and by worth, and of the level “I would take it”."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.boards.wording import REASONS, number
from annotation.web.tables import Column, Interval, Table
from foundation.templatetags.text import percent

Row = Mapping[str, Any]
Words = str | Promise
LIKE_THESE = "like_these"
# More answers than this are as good as never.
FURTHEST = 10_000_000

WHY_NOT: dict[str, Words] = REASONS | {
    "too_many": gettext_lazy("There are too many models or answers to compare both orders with every snapshot."),
    "only_bounds": gettext_lazy(
        "Some people took or left prices instead of naming amounts: both orders need amounts, so they are not compared."
    ),
    "not_both_asked": gettext_lazy("Nobody was asked for both a preference and an amount yet."),
    "no_level": gettext_lazy("So far people took something every time, or never: that gives no level yet."),
}
ESTIMANDS: dict[str, Words] = {
    "panel": gettext_lazy("People count equally: 1 is a person’s own average amount"),
    "money": gettext_lazy("Amounts as typed: who names more counts for more"),
}
TARGETS: dict[str, Words] = {
    "like_these": gettext_lazy("For prompts and people like these"),
    "these_prompts": gettext_lazy("For these prompts"),
}
VERDICTS: dict[str, Words] = {"established": gettext_lazy("established"), "likely": gettext_lazy("likely")}
SIDES: dict[str, Words] = {
    "above": gettext_lazy("Above"),
    "below": gettext_lazy("Below"),
    "open": gettext_lazy("Open"),
}


@dataclass(frozen=True)
class Line:
    """One model in both columns of the picture."""

    model: str
    votes: Row
    worth: Row
    y1: float
    y2: float
    parts: bool


@dataclass(frozen=True)
class Parted:
    """A pair about which the orders part, in sentences."""

    title: str
    verdicts: list[tuple[Words, Words]]
    sentences: list[str]


@dataclass(frozen=True)
class Orders:
    """Of one estimand: never mixed with the other."""

    key: str
    unit: Words
    reason: Words
    answers: int
    by_votes: list[Line]
    by_worth: list[Line]
    heavy_tailed: bool
    tail_share: float
    pairs: list[Parted]
    established: bool
    nearest: str


@dataclass(frozen=True)
class Level:
    """How likely a model's response alone would be taken."""

    model: str
    side: Words
    chance: float
    interval: str
    left: str
    dot: str
    right: str


def orders_shown(standings: Row) -> dict[str, Any]:
    """What the section's template reads; empty where nobody was asked for both."""
    block, level = standings.get("orders"), standings.get("level")
    names = {entry["contestant"]: entry["model"] for entry in standings["entries"]}
    return {
        "orders": block,
        "orders_reason": WHY_NOT[block["reason"]] if block and block["reason"] else "",
        "both_orders": [_orders(block, estimand, names) for estimand in ESTIMANDS] if block and block["fits"] else [],
        "level": level,
        "level_reason": WHY_NOT[level["reason"]] if level and level["reason"] else "",
        "levels": [_level(each, names) for each in level["entries"]] if level else [],
    }


def _orders(block: Row, estimand: str, names: Mapping[int, str]) -> Orders:
    fits = {fit["target"]: fit for fit in block["fits"] if fit["estimand"] == estimand}
    fit = fits[LIKE_THESE]
    found: dict[tuple[int, int], dict[str, Row]] = {}
    for target in TARGETS:
        for pair in fits[target]["pairs"]:
            found.setdefault((pair["wins"], pair["worth_more"]), {})[target] = pair
    lines = _lines(fit["entries"], names, {pk for pair in found for pk in pair})
    return Orders(
        key=estimand,
        unit=ESTIMANDS[estimand],
        reason=WHY_NOT[fit["reason"]] if fit["reason"] else "",
        answers=fit.get("answers", 0),
        by_votes=sorted(lines, key=lambda line: line.y1),
        by_worth=sorted(lines, key=lambda line: line.y2),
        heavy_tailed=fit.get("heavy_tailed", False),
        tail_share=fit.get("tail_share", 0.0),
        pairs=[_parted(pair, of, names) for pair, of in found.items()],
        established=any(each["verdict"] == "established" for of in found.values() for each in of.values()),
        nearest=_nearest(fit["nearest"], names),
    )


def _lines(entries: Sequence[Row], names: Mapping[int, str], parted: set[int]) -> list[Line]:
    def places(order: str) -> dict[int, int]:
        ordered = sorted(entries, key=lambda each: (each[order]["rank"], names[each["contestant"]]))
        return {each["contestant"]: place for place, each in enumerate(ordered)}

    votes, worth = places("votes"), places("worth")
    return [
        Line(
            model=names[pk := each["contestant"]],
            votes=each["votes"],
            worth=each["worth"],
            y1=votes[pk] + 0.5,
            y2=worth[pk] + 0.5,
            parts=pk in parted,
        )
        for each in entries
    ]


def _parted(pair: tuple[int, int], of: Mapping[str, Row], names: Mapping[int, str]) -> Parted:
    wins, more = (names[pk] for pk in pair)
    said = next(iter(of.values()))
    return Parted(
        title=_("%(wins)s wins more, %(more)s is worth more") % {"wins": wins, "more": more},
        verdicts=[(TARGETS[target], VERDICTS[each["verdict"]]) for target, each in of.items()],
        sentences=[sentence for sentence in (_why(said, wins, more), _deciding(said, more)) if sentence],
    )


def _why(said: Row, wins: str, more: str) -> str:
    if not said["answers"]:
        return _("They never met in these answers: both orders come from how they fared against others.")
    words = {
        "wins": wins,
        "more": more,
        "share": percent(said["win_share"]),
        "answers": f"{said['answers']:,}",
        "gain": number(said["mean_gain"] or 0.0, 2),
        "loss": number(said["mean_loss"] or 0.0, 2),
    }
    sentence = ngettext(
        "In %(answers)s answer about the two, %(wins)s wins %(share)s.",
        "In %(answers)s answers about the two, %(wins)s wins %(share)s.",
        said["answers"],
    )
    if said["mean_gain"] is None or said["mean_loss"] is None:
        return sentence % words
    amounts = _("Where it is preferred, it is by %(gain)s on average; where %(more)s is, by %(loss)s.")
    return f"{sentence % words} {amounts % words}"


def _deciding(said: Row, more: str) -> str:
    if said["prompts_share"] is None or not said["prompts"]:
        return ""
    count = len(said["prompts"])
    words = {"count": count, "more": more, "share": percent(said["prompts_share"])}
    # The share may pass 100 %: other prompts then speak against it.
    return (
        ngettext(
            "The %(count)s prompt that speaks most for %(more)s gives %(share)s of what it is worth more there.",
            "The %(count)s prompts that speak most for %(more)s give %(share)s of what it is worth more there.",
            count,
        )
        % words
    )


def _nearest(nearest: Row | None, names: Mapping[int, str]) -> str:
    if nearest is None:
        return ""
    words = {"wins": names[nearest["wins"]], "more": names[nearest["worth_more"]]}
    needed = nearest["answers_needed"]
    if needed is None or needed > FURTHEST:
        return _("The orders part most about %(wins)s and %(more)s, but hardly any number of answers shows it.") % words
    sentence = _(
        "The orders part most about %(wins)s and %(more)s. If that is so, about %(needed)s answers in all, asked as"
        " these were, would establish it in four of five cases."
    )
    return sentence % (words | {"needed": f"{needed:,.0f}"})


def _level(each: Row, names: Mapping[int, str]) -> Level:
    low = 0.0 if each["lower"] is None else each["lower"]
    high = 1.0 if each["upper"] is None else each["upper"]
    return Level(
        model=names[each["contestant"]],
        side=SIDES[each["side"]],
        chance=each["chance"],
        interval=_("%(lower)s to %(upper)s") % {"lower": percent(low), "upper": percent(high)},
        left=f"{100 * low:.2f}%",
        dot=f"{100 * each['chance']:.2f}%",
        right=f"{100 * high:.2f}%",
    )


def orders_tables(standings: Row) -> list[Table]:
    """For files: a row for each contestant of each fit, and one for each pair."""
    block = standings.get("orders") or {"fits": []}
    names = {entry["contestant"]: entry["model"] for entry in standings["entries"]}
    places = [(fit, each) for fit in block["fits"] for each in fit["entries"]]
    pairs = [(fit, each) for fit in block["fits"] for each in fit["pairs"]]
    fit_columns = [
        Column("estimand", _("Estimand"), "text", lambda row: row[0]["estimand"]),
        Column("target", _("Target"), "text", lambda row: row[0]["target"]),
    ]
    return [
        Table("orders", _("By votes and by worth"), [*fit_columns, *_place_columns(names)], places),
        Table("parted", _("Where the orders part"), [*fit_columns, *_pair_columns(names)], pairs),
    ]


def _place_columns(names: Mapping[int, str]) -> list[Column]:
    def of(order: str, member: str) -> Any:
        return lambda row: row[1][order][member]

    def interval(order: str) -> Any:
        return lambda row: Interval(*(row[1][order][end] for end in ("value", "lower", "upper")))

    columns = [Column("model", _("Model"), "text", lambda row: names[row[1]["contestant"]])]
    for order, title in (("votes", _("By votes")), ("worth", _("By worth"))):
        columns.append(Column(order, title, "interval", interval(order)))
        columns += [
            Column(f"{order}_{key}", _("Rank"), "count", of(order, key)) for key in ("rank", "rank_low", "rank_high")
        ]
    return columns


def _pair_columns(names: Mapping[int, str]) -> list[Column]:
    def of(member: str) -> Any:
        return lambda row: row[1][member]

    return [
        Column("wins", _("Wins more"), "text", lambda row: names[row[1]["wins"]]),
        Column("worth_more", _("Worth more"), "text", lambda row: names[row[1]["worth_more"]]),
        Column("verdict", _("Verdict"), "text", of("verdict")),
        Column("answers", _("Answers"), "count", of("answers")),
        *(
            Column(key, key, "number", of(key))
            for key in ("p_stronger", "p_worth_less", "win_share", "mean_gain", "mean_loss", "amount_against")
        ),
    ]
