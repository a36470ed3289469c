"""A table of figures that is shown on a page, sorted by a column, and downloads as CSV."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from annotation.policies.flags import Change, Share
from annotation.policies.money import shown_money

Text = str | Promise
Value = Any
# What a spreadsheet would take for a formula where a cell begins with it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PER_PAGE = 50


@dataclass(frozen=True)
class Link:
    text: str
    address: str


@dataclass(frozen=True)
class Interval:
    """A number with the ends of its interval, where there are any."""

    value: float | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Cell:
    text: str = ""
    sub: str = ""
    address: str = ""
    moment: datetime | None = None
    lines: Sequence[str] = ()
    is_number: bool = True
    is_long: bool = False


@dataclass(frozen=True)
class Column:
    """`get` gives what `kind` shows; `key` names it in an address and in the CSV."""

    key: str
    label: Text
    kind: str
    get: Callable[[Any], Value]
    note: Text = ""
    is_sorted: bool = True

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "words", "link", "reasons", "moment")


@dataclass(frozen=True)
class Table:
    """`rows` are anything that the columns can read. `name` is what the address and the file are called."""

    name: str
    title: Text
    columns: Sequence[Column]
    rows: Sequence[Any]

    def sorted_by(self, key: str, *, descending: bool) -> "Table":
        """By a column's values, what has none last; unchanged for a column that there is not."""
        column = next((each for each in self.columns if each.key == key and each.is_sorted), None)
        if column is None:
            return self
        keys = [(sort_key(column, row), row) for row in self.rows]
        known = sorted((pair for pair in keys if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
        unknown = [row for found, row in keys if found is None]
        return Table(self.name, self.title, self.columns, [row for _key, row in known] + unknown)


def shown_table(table: Table, values: Mapping[str, str], *, per_page: int = PER_PAGE) -> dict[str, Any]:
    """What the template of a table needs: its heads with the order that each asks for, and one page of cells."""
    key, descending = values.get("sort", ""), values.get("order") == "down"
    page = Paginator(table.sorted_by(key, descending=descending).rows, per_page).get_page(values.get("page"))
    heads = [
        {"column": column, "order": _order(column, key, descending), "sorted": key == column.key}
        for column in table.columns
    ]
    rows = [[cell_of(column, row) for column in table.columns] for row in page]
    return {"table": table, "heads": heads, "rows": rows, "page": page, "descending": descending}


def _order(column: Column, key: str, descending: bool) -> str:
    """What a click on the head asks for: numbers from the largest first, and the other way round the second time."""
    if column.key != key:
        return "down" if column.is_number else "up"
    return "up" if descending else "down"


def csv_response(table: Table, *, name: str) -> HttpResponse:
    """All rows, with a column for every number."""
    written = StringIO()
    writer = csv.writer(written)
    parts = [list(PARTS.get(column.kind, {"": None})) for column in table.columns]
    writer.writerow(
        f"{column.key}_{part}" if part else column.key
        for column, names in zip(table.columns, parts, strict=True)
        for part in names
    )
    for row in table.rows:
        writer.writerow([defused(value) for column in table.columns for value in plain_values(column, row)])
    response = HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{table.name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def defused(value: Value) -> Value:
    """A text that a spreadsheet would run stays the text that it is; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return "'" + value
    return value


# The columns of a CSV that a kind becomes, by what follows the key.
PARTS: dict[str, dict[str, Any]] = {
    "share": {
        "": lambda each: each.share,
        "of": lambda each: each.whole,
        "lower": lambda each: each.lower,
        "upper": lambda each: each.upper,
    },
    "change": {
        "": lambda each: each.factor,
        "lower": lambda each: each.lower,
        "upper": lambda each: each.upper,
    },
    "estimate": {
        "": lambda each: each.factor,
        "lower": lambda each: each.lower,
        "upper": lambda each: each.upper,
    },
    "interval": {
        "": lambda each: each.value,
        "lower": lambda each: each.lower,
        "upper": lambda each: each.upper,
    },
}


def plain_values(column: Column, row: Any) -> list[Value]:
    value = column.get(row)
    if column.kind in PARTS:
        return ["" if value is None else _rounded(part(value)) for part in PARTS[column.kind].values()]
    if isinstance(value, Link):
        return [value.text]
    if column.kind == "reasons":
        return ["; ".join(value)]
    if isinstance(value, datetime):
        return [value.isoformat()]
    return ["" if value is None else _rounded(value)]


def _rounded(value: Value) -> Value:
    if isinstance(value, float):
        return round(value, 6) + 0.0
    return "" if value is None else value


def sort_key(column: Column, row: Any) -> Any:
    value = column.get(row)
    if value is None or value == "":
        return None
    if isinstance(value, Share):
        return value.share
    if isinstance(value, Change):
        return value.factor
    if isinstance(value, Interval):
        return value.value
    if isinstance(value, Link):
        return value.text
    return len(value) if column.kind == "reasons" else value


def cell_of(column: Column, row: Any) -> Cell:
    value = column.get(row)
    return Cell("–") if value is None else SHOWN[column.kind](value)


def percent(value: float) -> str:
    return _("%(number)s %%") % {"number": rounded(100 * value, 0)}


def decimals(value: float | None, places: int = 2) -> str:
    return "–" if value is None else rounded(value, places)


def rounded(value: float, places: int) -> str:
    """number_format alone cuts off, and no number is -0.00."""
    return number_format(round(value, places) + 0.0, places, force_grouping=True)


def span(lower: float | None, upper: float | None, shown: Callable[[float], str] = decimals) -> str:
    if lower is None or upper is None:
        return ""
    return _("%(lower)s to %(upper)s") % {"lower": shown(lower), "upper": shown(upper)}


def _share(value: Share) -> Cell:
    whole = _("of %(count)s") % {"count": number_format(value.whole, 0, force_grouping=True)}
    return Cell(percent(value.share), f"{whole}, {span(value.lower, value.upper, percent)}")


def _interval(value: Interval) -> Cell:
    return Cell(decimals(value.value), span(value.lower, value.upper))


SHOWN: dict[str, Callable[[Any], Cell]] = {
    "text": lambda value: Cell(str(value), is_number=False),
    "words": lambda value: Cell(str(value), is_number=False, is_long=True),
    "count": lambda value: Cell(number_format(value, 0, force_grouping=True)),
    "number": lambda value: Cell(decimals(value)),
    "money": lambda value: Cell(shown_money(value)),
    "plain": lambda value: Cell(number_format(value, None if isinstance(value, int) else 2, force_grouping=True)),
    "percent": lambda value: Cell(percent(value)),
    "seconds": lambda value: Cell(_("%(number)s s") % {"number": rounded(value, 1 if value < 10 else 0)}),
    "share": _share,
    "change": lambda value: Cell("× " + decimals(value.factor), span(value.lower, value.upper)),
    "estimate": lambda value: Cell(decimals(value.factor), span(value.lower, value.upper)),
    "factor": lambda value: Cell("× " + decimals(value)),
    "interval": _interval,
    "link": lambda value: Cell(value.text, address=value.address, is_number=False),
    "moment": lambda value: Cell(moment=value, is_number=False),
    "reasons": lambda value: Cell(lines=value, is_number=False),
}


def chosen(tables: Iterable[Table], name: str | None) -> Table | None:
    """The table of a page that an address names; the first where it names none."""
    found = {table.name: table for table in tables}
    return next(iter(found.values()), None) if not name else found.get(name)
