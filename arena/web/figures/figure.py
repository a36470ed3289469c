"""What a figure is: its rows as columns of a table, its drawing, and what must be said beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from annotation.queries.figures import Evidence
from annotation.web.tables import Column, Table
from arena.web.figures.charts import Frame
from arena.web.figures.drawing import Drawing

Words = str | Promise
# More models than this make a picture that nobody reads; the table and its file have all.
MOST_MODELS = 40


@dataclass(frozen=True)
class Figure:
    """`reading` is one sentence. `draw` is None-giving where there is too little to draw; `notes` then say why."""

    name: str
    title: Words
    reading: Words
    rows: Callable[[Evidence], Sequence[Any]]
    columns: Callable[[Evidence], Sequence[Column]]
    draw: Callable[[Frame, Evidence, Sequence[Any]], Drawing | None]
    notes: Callable[[Evidence, Sequence[Any]], list[Words]]


@dataclass(frozen=True)
class Shown:
    """A figure of one board."""

    figure: Figure
    table: Table
    drawing: Drawing | None
    notes: list[Words]


def shown(figure: Figure, evidence: Evidence) -> Shown:
    rows = figure.rows(evidence)
    table = Table(figure.name, figure.title, figure.columns(evidence), rows)
    title = _("%(figure)s: %(board)s") % {"figure": figure.title, "board": evidence.board.name}
    says = _("%(reading)s The table of this figure has the numbers.") % {"reading": figure.reading}
    drawing = figure.draw(Frame(figure.name, title, says), evidence, rows)
    return Shown(figure, table, drawing, figure.notes(evidence, rows))


def first_models(count: int) -> list[Words]:
    """What a picture of models leaves out."""
    if count <= MOST_MODELS:
        return []
    words = {"most": MOST_MODELS, "count": count}
    return [_("Drawn are the first %(most)s of %(count)s models; the file has all.") % words]
