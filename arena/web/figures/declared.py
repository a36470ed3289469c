"""All figures of a board, in the order of the page. The page, the files and the tests go by this table alone."""

from arena.web.figures.figure import Figure
from arena.web.figures.ratings import HISTORY, INTERVALS, SPREAD, WORTH_AND_COST
from arena.web.figures.votes import BATTLES, DAYS, FITTED, OBSERVED, SIDES, STRENGTHS

FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        INTERVALS,
        OBSERVED,
        FITTED,
        BATTLES,
        DAYS,
        SIDES,
        WORTH_AND_COST,
        STRENGTHS,
        SPREAD,
        HISTORY,
    )
}
