"""What model judges and people said of the same items, in arrays, for the judges' page."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.boards.judging import FIRST, NOWHERE, SECOND, TIE, Judged, JudgeFigures, judge_figures
from annotation.enums import Preference, SourceState
from annotation.models import Campaign, Judging, Response, Turn
from annotation.queries.log import standing_judgments

# A response that is longer by less is as long.
LONGER = 1.1
SEED = 20_260_000


@dataclass(frozen=True)
class JudgeBesidePeople:
    """One judging that has said anything of pairs: its figures, and how many items."""

    judging: Judging
    items: int
    figures: JudgeFigures


def judges_beside_people(campaign: Campaign) -> list[JudgeBesidePeople]:
    """In the order in which they were started. Only preferences between two responses are compared."""
    there = Judging.objects.filter(campaign=campaign, source__state=SourceState.APART)
    judgings = there.select_related("revision__language_model", "source")
    people = _votes(campaign)
    facts = _facts(campaign)
    found = []
    for judging in judgings.order_by("pk"):
        judged = _judged(judging, people, facts)
        if len(judged):
            rng = np.random.Generator(np.random.PCG64(SEED + judging.pk))
            found.append(JudgeBesidePeople(judging, len(judged), judge_figures(judged, rng)))
    return found


@dataclass(frozen=True)
class _Side:
    length: int
    model: int | None
    organisation: str


def _votes(campaign: Campaign) -> Mapping[int, list[int]]:
    """Of people, by item: how many for the first response, the second, and neither."""
    votes: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = standing_judgments(campaign, numbered=False).filter(order__len=2).order_by()
    for item, order, preference in rows.values_list("item", "order", "preference").iterator():
        place = _place(preference, order)
        if place is not None:
            votes[item][place] += 1
    return votes


def _place(preference: str, order: list[int]) -> int | None:
    if preference == Preference.TIE:
        return TIE
    if preference in (Preference.A, Preference.B):
        shown = 0 if preference == Preference.A else 1
        return FIRST if order[shown] == min(order) else SECOND
    return None


def _judged(judging: Judging, people: Mapping[int, list[int]], facts: Mapping[int, list[_Side]]) -> Judged:
    said: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    rows = judging.source.judgments.filter(kind="answer", superseded_by__isnull=True, order__len=2)
    for item, order, preference in rows.order_by("pk").values_list("item", "order", "preference"):
        place = _place(preference, order)
        if place is not None:
            said[item].append((place, preference == Preference.A))
    both = sorted(item for item, verdicts in said.items() if len(verdicts) == 2 and len(facts.get(item, [])) == 2)
    judge = np.zeros((len(both), 3), dtype=np.int64)
    for row, item in enumerate(both):
        for place, _first in said[item]:
            judge[row, place] += 1
    lengths = np.array([[side.length for side in facts[item]] for item in both], dtype=np.float64).reshape(-1, 2)
    ratio = np.log(np.maximum(lengths[:, 0], 1) / np.maximum(lengths[:, 1], 1))
    return Judged(
        judge=judge,
        people=np.array([people.get(item, [0, 0, 0]) for item in both], dtype=np.int64).reshape(-1, 3),
        flipped=np.array([said[item][0][0] != said[item][1][0] for item in both], dtype=bool),
        first_shown=np.array([sum(first for _place, first in said[item]) for item in both], dtype=np.int64),
        longer=np.where(np.abs(ratio) < np.log(LONGER), NOWHERE, np.where(ratio > 0, FIRST, SECOND)),
        own=np.array([_own(judging, facts[item]) for item in both], dtype=np.int64),
        log_ratio=ratio,
    )


def _own(judging: Judging, sides: list[_Side]) -> int:
    """The only response of the judge's own model, or of its organisation."""
    model = judging.revision.language_model
    own = [
        side.model == model.pk or bool(model.organisation and side.organisation == model.organisation) for side in sides
    ]
    return own.index(True) if sum(own) == 1 else NOWHERE


def _facts(campaign: Campaign) -> Mapping[int, list[_Side]]:
    """Of every response by its item, in the item's own order."""
    turns = Turn.objects.filter(response__item__campaign=campaign).values_list("response", "text", "completion__text")
    lengths: dict[int, int] = defaultdict(int)
    for response, text, written in turns.iterator():
        lengths[response] += len(text or written or "")
    facts: dict[int, list[_Side]] = defaultdict(list)
    columns = (
        "pk",
        "item",
        "contestant__revision__language_model",
        "contestant__revision__language_model__organisation",
    )
    for pk, item, model, organisation in (
        Response.objects.filter(item__campaign=campaign).order_by("item", "position").values_list(*columns).iterator()
    ):
        facts[item].append(_Side(lengths[pk], model, organisation or ""))
    return facts
