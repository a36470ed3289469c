"""The tables of a board as files, and what stands on its page about single attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from annotation.boards.wording import interval_words, number
from annotation.web.tables import Column, Interval, Table
from arena.web.board_orders import orders_tables

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A value with its interval in words; empty where this was not said of the model."""

    value: str = ""
    interval: str = ""
    judged: int = 0


@dataclass(frozen=True)
class Attributes:
    """What one question says of single responses: a row for each model, in the board's order."""

    title: str
    scale: str
    names: list[str]
    rows: list[tuple[str, list[Shown]]]


def attributes_shown(standings: Row) -> list[Attributes]:
    return [
        Attributes(
            title=lines[0]["title"] or question,
            scale=_scale(lines[0]),
            names=[line["name"] or _("As a whole") for line in lines],
            rows=[(model, [_shown(line, pk) for line in lines]) for pk, model in _models(standings).items()],
        )
        for (question, _unit, _low, _high), group in groupby(standings.get("attributes", []), key=_kind)
        if (lines := list(group))
    ]


def _kind(line: Row) -> tuple[Any, ...]:
    return line["question"], line["unit"], line["lowest"], line["highest"]


def _scale(line: Row) -> str:
    if line["unit"] == "percent":
        return _("share of the judged responses of which it holds, in percent, with its 95 % interval")
    ends = {"lowest": f"{line['lowest']:g}", "highest": f"{line['highest']:g}"}
    return _("mean on the scale from %(lowest)s to %(highest)s, with its 95 %% interval") % ends


def _models(standings: Row) -> dict[int, str]:
    return {entry["contestant"]: entry["model"] for entry in standings["entries"]}


def _shown(line: Row, contestant: int) -> Shown:
    of_model = next((each for each in line["models"] if each["contestant"] == contestant), None)
    if of_model is None:
        return Shown()
    decimals = 0 if line["unit"] == "percent" else 2 if line["highest"] - line["lowest"] <= 20 else 1
    interval = interval_words(of_model | {"rating": of_model["value"]}, decimals)
    return Shown(number(of_model["value"], decimals), interval, of_model["judged"])


def board_tables(standings: Row) -> list[Table]:
    """For files: a row for each contestant, one for each attribute and contestant, and both orders with their pairs."""
    return [_standings_table(standings), _attributes_table(standings), *orders_tables(standings)]


def _standings_table(standings: Row) -> Table:
    def of(name: str, member: str = "") -> Any:
        return lambda entry: (entry[name] or {}).get(member) if member else entry[name]

    def interval(name: str, value: str) -> Any:
        return lambda entry: (
            None if not (said := entry if not name else entry[name]) or said[value] is None else _interval(said, value)
        )

    columns = [
        Column("model", _("Model"), "text", of("model")),
        Column("group", _("Group"), "count", of("group")),
        *(Column(key, _("Rank"), "count", of(key)) for key in ("rank", "rank_low", "rank_high")),
        Column("rating", _("Rating"), "interval", interval("", "rating")),
        Column("provisional", _("Provisional"), "text", of("provisional")),
        *(Column(key, _("Judgments"), "count", of(key)) for key in ("votes", "wins", "judgments")),
        Column("win_rate", _("Win rate"), "number", of("win_rate")),
        Column("acceptable", _("Acceptable"), "interval", interval("acceptable", "share")),
        Column("acceptable_of", _("Judged"), "count", of("acceptable", "judged")),
        Column("worth", _("Worth"), "interval", interval("worth", "value")),
        Column("worth_answers", _("Answers"), "count", of("worth", "answers")),
        Column("simulated_share", _("Simulated"), "number", of("simulated_share")),
    ]
    return Table("standings", _("Standings"), columns, standings["entries"])


def _interval(said: Row, value: str) -> Interval:
    return Interval(said[value], said["lower"], said["upper"])


def _attributes_table(standings: Row) -> Table:
    models = _models(standings)
    rows: Sequence[tuple[Row, Row]] = [
        (line, each)
        for line in standings.get("attributes", [])
        for each in line["models"]
        if each["contestant"] in models
    ]
    columns = [
        Column("question", _("Question"), "text", lambda row: row[0]["question"]),
        Column("attribute", _("Attribute"), "text", lambda row: row[0]["name"]),
        Column("unit", _("Unit"), "text", lambda row: row[0]["unit"]),
        Column("lowest", _("Lowest"), "number", lambda row: row[0]["lowest"]),
        Column("highest", _("Highest"), "number", lambda row: row[0]["highest"]),
        Column("model", _("Model"), "text", lambda row: models[row[1]["contestant"]]),
        Column("mean", _("Mean"), "interval", lambda row: _interval(row[1], "value")),
        Column("judged", _("Judged"), "count", lambda row: row[1]["judged"]),
    ]
    return Table("attributes", _("By attribute"), columns, rows)
