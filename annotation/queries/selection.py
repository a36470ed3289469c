"""Where a campaign's next questions go, and why: for its admins, who may know every name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from math import isnan
from typing import Any

import numpy as np
from django.db.models import Count, Q

from annotation.boards.order import SCALE
from annotation.enums import SourceKind
from annotation.models import Board, Campaign, CampaignSelection, Contestant, Impression, LeaderboardSnapshot
from annotation.queries.pairs import known_of, learn
from annotation.ratings import Bools, Floats
from annotation.selection import Candidate, NewcomerCap, SelectionState, VotesSaved, votes_saved
from annotation.selection.choose import with_everybody
from annotation.selection.outlook import PairsKnown, pair_chances, pairs_known

PAIRS = 25
LOOKED_BACK_ON = 12
# Of a difference in its own standard errors: beyond it the order of a pair is taken for clear.
CLEAR = 2.0
# Why a pair comes by policies that no strength matters to.
NOT_LEARNED = {"uniform": "alike", "balanced": "least"}


@dataclass(frozen=True)
class ModelNext:
    name: str
    votes: float
    weight: float
    share: float  # of the next questions it is in
    is_newcomer: bool

    @property
    def percent(self) -> float:
        return 100.0 * self.share


@dataclass(frozen=True)
class PairNext:
    """`gap` and `error` are points of the board; `why` is one of newcomer, alike, least, unmet, open, close, floor."""

    first: str
    second: str
    chance: float
    times: float  # as often as if every pair that can come came alike
    votes: float
    out: int
    gap: float
    error: float
    why: str

    @property
    def percent(self) -> float:
        return 100.0 * self.chance


@dataclass(frozen=True)
class Width:
    """Of one snapshot of the campaign's board: the mean width of its intervals, in points."""

    number: int
    judgments: int
    width: float
    made: datetime


@dataclass(frozen=True)
class Holdout:
    """Pairs that were drawn alike, which no policy bent, among all that were drawn."""

    drawn: int
    alike: int

    @property
    def percent(self) -> float:
        return 100.0 * self.alike / self.drawn if self.drawn else 0.0


@dataclass(frozen=True)
class Outlook:
    computed_at: datetime | None
    models: list[ModelNext]
    pairs: list[PairNext]
    pair_count: int
    saved: VotesSaved
    pair_variance: float
    holdout: Holdout
    widths: list[Width]

    @property
    def percent_saved(self) -> float | None:
        if isnan(self.saved.uniform) or self.saved.uniform == 0:
            return None
        return 100.0 * (1.0 - self.saved.votes / self.saved.uniform)


def outlook_of(campaign: Campaign) -> Outlook:
    """As the next item that a policy draws would be drawn, for somebody who has met none of them."""
    known = known_of(campaign) or learn(campaign)
    weights = dict.fromkeys(known.state.names.tolist(), 1.0)
    return outlook(campaign, weights=weights, seen=known.state, draws_by=known.state, open_pairs=known.open_pairs)


def outlook(
    campaign: Campaign,
    *,
    weights: Mapping[int, float],
    seen: SelectionState,
    draws_by: SelectionState | None,
    open_pairs: Bools | None = None,
    cap: NewcomerCap | None = None,
) -> Outlook:
    """Of contestants by id with their weights: what the votes `seen` say, and what the policy does with what it
    `draws_by`. `open_pairs` (n, n), all where None, are those that can come, by ascending ids."""
    ids = sorted(weights)
    state = with_everybody(seen, np.array(ids, dtype=np.int64))
    every = [pair for pair in combinations(range(len(ids)), 2) if open_pairs is None or open_pairs[pair]]
    if sum(weight > 0 for weight in weights.values()) < 2:
        every = []
    shown = _Shown(campaign.policy, ids, _names(ids), set(cap.newcomers) if cap else set(), len(every))
    models: list[ModelNext] = []
    pairs: list[PairNext] = []
    if every:
        chances = pair_chances(
            policy=campaign.policy,
            parameters=campaign.policy_parameters,
            candidates=[Candidate(pk, weights[pk]) for pk in ids],
            state=draws_by,
            open_pairs=open_pairs,
            cap=cap,
        )
        models = shown.models(chances, state, weights)
        pairs = shown.pairs(sorted(every, key=lambda pair: (-chances[pair], pair))[:PAIRS], chances, state)
    computed = CampaignSelection.objects.filter(campaign=campaign).values_list("computed_at", flat=True).first()
    saved = votes_saved(state)
    return Outlook(
        computed, models, pairs, len(every), saved, state.pair_variance, _holdout(campaign), _widths(campaign)
    )


def _names(contestants: Sequence[int]) -> dict[int, str]:
    found = Contestant.objects.filter(pk__in=contestants).select_related("revision__language_model")
    return {each.pk: _name(each) for each in found}


def _name(contestant: Contestant) -> str:
    name = contestant.revision.language_model.name if contestant.revision else contestant.name
    return f"{name} ({contestant.settings_name})" if contestant.settings_name else name


@dataclass(frozen=True)
class _Shown:
    """What is said of contestants, who stand in the order of their ids, and of their `count` pairs."""

    policy: str
    ids: Sequence[int]
    names: Mapping[int, str]
    new: Collection[int]
    count: int

    def models(self, chances: Floats, state: SelectionState, weights: Mapping[int, float]) -> list[ModelNext]:
        votes = dict(zip(state.names.tolist(), state.battles.tolist(), strict=True))
        found = [
            ModelNext(self.names[pk], votes[pk], weights[pk], share, pk in self.new)
            for pk, share in zip(self.ids, chances.sum(axis=1).tolist(), strict=True)
        ]
        return sorted(found, key=lambda each: (-each.share, each.name))

    def pairs(self, chosen: Sequence[tuple[int, int]], chances: Floats, state: SelectionState) -> list[PairNext]:
        known = pairs_known(state, self.ids)
        return [self._pair(pair, float(chances[pair]), known) for pair in chosen]

    def _pair(self, pair: tuple[int, int], chance: float, known: PairsKnown) -> PairNext:
        both = [self.ids[place] for place in pair]
        gap, error, met = (float(table[pair]) for table in (known.gap, known.error, known.votes))
        times, is_new = chance * self.count, any(pk in self.new for pk in both)
        return PairNext(
            first=self.names[both[0]],
            second=self.names[both[1]],
            chance=chance,
            times=times,
            votes=met,
            out=round(float(known.out[pair])),
            gap=gap,
            error=error,
            why="newcomer" if is_new else NOT_LEARNED.get(self.policy) or _why(times, met, abs(gap) < CLEAR * error),
        )


def _why(times: float, met: float, is_open: bool) -> str:
    if met == 0:
        return "unmet"
    if is_open:
        return "open" if times >= 1.0 else "close"
    return "floor"


def _holdout(campaign: Campaign) -> Holdout:
    drawn = Impression.objects.filter(campaign=campaign, floor__isnull=False)
    drawn = drawn.exclude(item__source__kind=SourceKind.SIMULATION)
    return Holdout(**drawn.aggregate(drawn=Count("pk"), alike=Count("pk", filter=Q(floor=True))))


def _widths(campaign: Campaign) -> list[Width]:
    """Of at most a dozen snapshots of the campaign's board, hidden or not, from the first to the newest."""
    board = Board.objects.filter(campaign=campaign, slice={}).order_by("pk").first()
    ids = list(LeaderboardSnapshot.objects.filter(board=board).order_by("number").values_list("pk", flat=True))
    if not ids:
        return []
    places = np.unique(np.linspace(0, len(ids) - 1, LOOKED_BACK_ON).round().astype(int))
    chosen = LeaderboardSnapshot.objects.filter(pk__in=[ids[place] for place in places]).order_by("number")
    found = [(each, _mean_width(each.standings)) for each in chosen]
    return [Width(each.number, each.judgments, width, each.created_at) for each, width in found if width is not None]


def _mean_width(standings: dict[str, Any]) -> float | None:
    widths = [
        each["upper"] - each["lower"]
        for each in standings.get("entries", [])
        if each.get("upper") is not None and each.get("lower") is not None
    ]
    return sum(widths) / len(widths) if widths and standings.get("scale", {}).get("gauge") == SCALE["gauge"] else None
