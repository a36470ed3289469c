"""Where the parts of the charts for watching stand, in percent of the picture: text keeps its size at every width."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from annotation.boards.agreement import Agreement
from annotation.policies.flags import AnnotatorFigures, Share
from annotation.queries.summaries import Hour, Progress
from annotation.web.tables import decimals

# Every so many hours one is named below its bar.
NAMED_HOURS = 12
# Agreement below this end of the axis is drawn at its end: as by chance and worse look alike at a glance.
LEAST_ALPHA = -0.2


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    kind: str = ""


@dataclass(frozen=True)
class AgreementRow:
    name: str
    value: str
    dot: str
    left: str
    right: str


@dataclass(frozen=True)
class Strip:
    """One dot for each annotator; what stands out is drawn last, over the others."""

    label: str
    plain: list[str]
    flagged: list[str]


def percent_of(value: float) -> str:
    return f"{100 * value:.2f}%"


def progress_bars(progress: Progress) -> list[Bar]:
    """Done, claimed and open side by side."""
    begin, bars = 0.0, []
    for kind in ("done", "claimed", "open"):
        share = getattr(progress, kind) / progress.wanted if progress.wanted else 0.0
        bars.append(Bar(percent_of(begin), "0", percent_of(share), "100%", kind))
        begin += share
    return bars


def hour_bars(hours: Sequence[Hour]) -> list[Bar]:
    most, width = max((hour.answers for hour in hours), default=0) or 1, 1 / max(len(hours), 1)
    return [
        Bar(percent_of((k + 0.1) * width), percent_of(1 - share), percent_of(0.8 * width), percent_of(share))
        for k, hour in enumerate(hours)
        for share in [hour.answers / most]
    ]


def hour_names(hours: Sequence[Hour]) -> list[tuple[str, Hour]]:
    return [
        (percent_of((k + 0.5) / len(hours)), hour) for k, hour in enumerate(hours) if hour.begin.hour % NAMED_HOURS == 0
    ]


def agreement_rows(agreements: Sequence[Agreement], name: Callable[[Agreement], str]) -> list[AgreementRow]:
    rows = []
    for each in agreements:
        if each.alpha is not None:
            lower = each.alpha if each.lower is None else each.lower
            upper = each.alpha if each.upper is None else each.upper
            rows.append(
                AgreementRow(name(each), decimals(each.alpha), *(on_axis(end) for end in (each.alpha, lower, upper)))
            )
    return rows


def on_axis(alpha: float) -> str:
    return percent_of((max(LEAST_ALPHA, min(1.0, alpha)) - LEAST_ALPHA) / (1 - LEAST_ALPHA))


def alpha_axis() -> list[tuple[str, str]]:
    return [(on_axis(value), number) for value, number in ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))]


def strips(figures: Sequence[AnnotatorFigures], flagged: set[int], labels: Mapping[str, str]) -> list[Strip]:
    """For each label, which names a share among the figures; without those that nobody has."""
    found = []
    for field, label in labels.items():
        shares: list[tuple[int, Share]] = [
            (each.respondent, share) for each in figures if (share := getattr(each, field)) is not None
        ]
        if shares:
            found.append(
                Strip(
                    label,
                    [percent_of(share.share) for pk, share in shares if pk not in flagged],
                    [percent_of(share.share) for pk, share in shares if pk in flagged],
                )
            )
    return found
