"""When an annotator's figures are a reason to look at their work. A flag asks a person to look; it ends nothing.

Every threshold speaks of an interval's end, not of the share itself: few judgments flag nobody. With hundreds of
annotators a few of the honest ones still pass each limit, which is why two reasons weigh more than one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# The share of known answers that crowd platforms have long asked for by default; a campaign's own pass mark goes
# before it. Who guesses between two sides is right on half.
LEAST_RIGHT = 0.7
# Sides are drawn by a fair coin, so that a careful person's share is one half whatever the responses are. Two in three
# is a leaning that moves a board; the interval's level is 99 % because everybody's side is looked at.
MOST_ONE_SIDE = 0.65
# Silent reading takes a quarter of a second a word (Brysbaert 2019, "How many words do we read per minute?", J. Mem.
# Lang. 109): three seconds are twelve words. Where a campaign's items are shorter, a third of its median time.
LEAST_SECONDS = 3.0
LEAST_SECONDS_OF_MEDIAN = 1 / 3
MOST_FAST = 0.25
# Who picks blindly repeats an answer as often as any two of their answers are the same. Whoever keeps less than a third
# of what is left above that hardly looks: of two sides and a tie that is about three in five. Where nearly everything
# is answered alike, chance alone repeats nearly everything, and more than two in three are asked of nobody.
LEAST_ABOVE_CHANCE, MOST_BY_CHANCE = 1 / 3, 0.5
# One answer to nearly everything is no judgment of items, unless all annotators give it as often.
MOST_ONE_VALUE = 0.95
MORE_THAN_OTHERS = 0.15
# Crowd-BT's probability of telling the truth: one half is a guess, below it the opposite of what others say.
GUESSES = 0.5
# Whose agreement with the others, beyond chance, is this part of the others' median or more is careful. All of a
# campaign's people are looked at: at most one time in twenty does anybody who is careful stand out.
LEAST_LIKE_OTHERS = 2 / 3
ALARM = 0.05
# Half the time for the same kind of item, with items in random order.
LEAST_PACE_LEFT = 0.5
# Fewer observations than this say nothing, whatever their interval.
LEAST_CHECKS, LEAST_REPEATS, LEAST_TIMED, LEAST_SIDES, LEAST_VALUES, LEAST_COMPARED = 4, 5, 10, 20, 30, 30


@dataclass(frozen=True)
class Share:
    """`part` of `whole`, with its interval."""

    part: float
    whole: float
    lower: float
    upper: float

    @property
    def share(self) -> float:
        return self.part / self.whole


@dataclass(frozen=True)
class Change:
    """How many times as much at the end as at the beginning, with its interval."""

    factor: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Alike:
    """Agreement with the others beyond chance, as Krippendorff's α: 0 is as one who guesses, 1 is perfect.

    `lower` and `upper` are a 95 % interval; `least` and `most` are so far apart that of everybody in the campaign
    together nobody lies above `most`, or below `least`, but with probability ALARM.
    """

    value: float
    lower: float
    upper: float
    least: float
    most: float
    compared: int  # items that somebody else answered too
    typical: float | None  # the median of the others'


@dataclass(frozen=True)
class AnnotatorFigures:
    """What one respondent's judgments say about the respondent; None where nothing was measured."""

    respondent: int
    judgments: int
    checks: Share | None = None  # right ones
    repeats: Share | None = None  # same answer again
    same_by_chance: float | None = None  # share of any two of their answers, to whatever, that are the same
    left: Share | None = None  # the side shown first, among preferences for a side; a 99 % interval
    fast: Share | None = None  # faster than `fast_below`
    fast_below: float = LEAST_SECONDS
    median_seconds: float | None = None
    most_used: Share | None = None  # the value given most often
    others_most_used: float | None = None  # that value's share among everybody's judgments
    values_used: int = 0
    values: int = 0  # that anybody used
    drift: Change | None = None  # seconds per judgment, the last over the first
    fatigue: float | None = None  # the same within a session, the mean of the sessions
    with_others: Share | None = None  # pairs of judgments on one item that say the same
    truthful: Change | None = None  # Crowd-BT's probability, as `factor`
    alike: Alike | None = None


def least_seconds(median: float | None) -> float:
    """What counts as too fast in a campaign with this median time."""
    return LEAST_SECONDS if median is None else min(LEAST_SECONDS, median * LEAST_SECONDS_OF_MEDIAN)


def reasons_to_look(figures: AnnotatorFigures, *, pass_mark: float | None = None) -> list[str]:
    """In words, each with the numbers that it rests on; empty where nothing stands out."""
    found = [
        _checks(figures.checks, pass_mark or LEAST_RIGHT),
        _sides(figures.left),
        _speed(figures),
        _repeats(figures),
        _one_value(figures),
        _reliability(figures.truthful),
        _guesses(figures),
        _pace(figures.drift),
    ]
    return [reason for reason in found if reason]


def _checks(checks: Share | None, least: float) -> str:
    if checks is None or checks.whole < LEAST_CHECKS or checks.upper >= least:
        return ""
    words = ngettext(
        "right on %(right)d of %(count)d check", "right on %(right)d of %(count)d checks", int(checks.whole)
    )
    return words % {"right": checks.part, "count": checks.whole}


def _sides(left: Share | None) -> str:
    if left is None or left.whole < LEAST_SIDES:
        return ""
    if left.share >= MOST_ONE_SIDE and left.lower > 0.5:
        return _("prefers the left side %(percent)d %%") % {"percent": round(100 * left.share)}
    if left.share <= 1 - MOST_ONE_SIDE and left.upper < 0.5:
        return _("prefers the right side %(percent)d %%") % {"percent": round(100 * (1 - left.share))}
    return ""


def _speed(figures: AnnotatorFigures) -> str:
    fast = figures.fast
    if fast is None or fast.whole < LEAST_TIMED or fast.lower < MOST_FAST:
        return ""
    numbers = {"seconds": f"{figures.fast_below:.2g}", "percent": round(100 * fast.share)}
    return _("faster than %(seconds)s s on %(percent)d %%") % numbers


def _repeats(figures: AnnotatorFigures) -> str:
    repeats, chance = figures.repeats, figures.same_by_chance
    if repeats is None or chance is None or repeats.whole < LEAST_REPEATS:
        return ""
    chance = min(chance, MOST_BY_CHANCE)
    if repeats.upper >= chance + LEAST_ABOVE_CHANCE * (1 - chance):
        return ""
    return _("the same answer again on %(same)d of %(count)d repeats") % {"same": repeats.part, "count": repeats.whole}


def _one_value(figures: AnnotatorFigures) -> str:
    used, others = figures.most_used, figures.others_most_used
    if used is None or others is None or used.whole < LEAST_VALUES:
        return ""
    if used.share < MOST_ONE_VALUE or used.share < others + MORE_THAN_OTHERS:
        return ""
    numbers = {"percent": round(100 * used.share), "others": round(100 * others)}
    return _("one and the same answer on %(percent)d %%, all together %(others)d %%") % numbers


def _reliability(truthful: Change | None) -> str:
    if truthful is None or truthful.upper >= GUESSES:
        return ""
    return _("mostly says the opposite of the others: reliability %(value).2f") % {"value": truthful.factor}


def _guesses(figures: AnnotatorFigures) -> str:
    """As one who guesses, and less than a careful person: both ends, so that neither few answers nor a campaign in
    which nobody agrees flags anybody. Who says the opposite is told so instead.
    """
    alike = figures.alike
    if alike is None or alike.typical is None or alike.compared < LEAST_COMPARED or _reliability(figures.truthful):
        return ""
    if alike.least > 0 or alike.most >= LEAST_LIKE_OTHERS * alike.typical:
        return ""
    numbers = {"value": f"{alike.value:.2f}", "typical": f"{alike.typical:.2f}"}
    return _("agrees with the others no more than a guess: %(value)s beyond chance, others %(typical)s") % numbers


def _pace(drift: Change | None) -> str:
    if drift is None or drift.upper >= LEAST_PACE_LEFT:
        return ""
    return _("takes %(percent)d %% of the time taken at first") % {"percent": round(100 * drift.factor)}


def thresholds(*, pass_mark: float | None = None) -> Mapping[str, float]:
    """The limits as the page of annotators names them, shares in percent."""
    return {
        "right": 100 * (pass_mark or LEAST_RIGHT),
        "side": 100 * MOST_ONE_SIDE,
        "seconds": LEAST_SECONDS,
        "fast": 100 * MOST_FAST,
        "one_value": 100 * MOST_ONE_VALUE,
        "like_others": 100 * LEAST_LIKE_OTHERS,
        "pace": 100 * LEAST_PACE_LEFT,
    }
