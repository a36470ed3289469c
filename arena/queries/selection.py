"""Where an arena's next questions go, and why: for its admins, who may know every name."""

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from math import isnan
from typing import Any

import numpy as np
from django.db.models import Count, Q

from annotation.boards.order import SCALE
from annotation.enums import SourceKind
from annotation.models import CampaignSelection, CategorySelection, Contestant, Impression, LeaderboardSnapshot
from annotation.queries import main_board
from annotation.queries.pairs import known_of, learn
from annotation.selection import Candidate, Known, NewcomerCap, SelectionState, VotesSaved, votes_saved
from annotation.selection.choose import with_everybody
from annotation.selection.outlook import PairsKnown, pair_chances, pairs_known
from arena.models import Arena
from arena.queries.arenas import weight_of
from arena.queries.next_draw import known_for, newcomer_cap, playing

PAIRS = 25
LOOKED_BACK_ON = 12
# Of a difference in its own standard errors: beyond it the order of a pair is taken for clear.
CLEAR = 2.0


@dataclass(frozen=True)
class ModelNext:
    name: str
    votes: float
    weight: float
    share: float  # of the next battles it is in
    is_newcomer: bool

    @property
    def percent(self) -> float:
        return 100.0 * self.share


@dataclass(frozen=True)
class PairNext:
    """`gap` and `error` are points of the board; `why` is one of newcomer, unmet, open, close, floor."""

    first: str
    second: str
    chance: float
    times: float  # as often as if every pair came alike
    votes: float
    out: int
    gap: float
    error: float
    why: str

    @property
    def percent(self) -> float:
        return 100.0 * self.chance


@dataclass(frozen=True)
class CategoryNext:
    name: str
    votes: int
    is_own: bool


@dataclass(frozen=True)
class Width:
    """Of one snapshot of the arena's board: the mean width of its intervals, in points."""

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
    category: str
    goes_by: str
    computed_at: datetime | None
    models: list[ModelNext]
    pairs: list[PairNext]
    pair_count: int
    saved: VotesSaved
    percent_saved: float | None
    pair_variance: float
    newcomer_share: float | None
    categories: list[CategoryNext]
    holdout: Holdout
    widths: list[Width]


def outlook_of(arena: Arena, *, category: str, now: datetime) -> Outlook:
    """As the next battle on a prompt of this category would be drawn, "" where it has none."""
    campaign = arena.campaign
    known, goes_by = known_for(arena, campaign, category)
    seen = known or known_of(campaign) or learn(campaign)  # whose policy learns nothing may keep nothing
    weights = {each.pk: each.weight for each in _candidates(arena, now)}
    names = _names(weights)
    cap = newcomer_cap(arena, weights, known_of(campaign))
    state = with_everybody(seen.state, np.array(sorted(weights), dtype=np.int64))
    models, pairs, count = _next(arena, weights, names, known, state, cap)
    saved = votes_saved(state)
    row = CampaignSelection.objects.filter(campaign=campaign).values_list("computed_at", flat=True).first()
    return Outlook(
        category=category,
        goes_by=goes_by,
        computed_at=row,
        models=models,
        pairs=pairs,
        pair_count=count,
        saved=saved,
        percent_saved=_percent(saved),
        pair_variance=state.pair_variance,
        newcomer_share=arena.newcomer_share,
        categories=_categories(arena),
        holdout=_holdout(arena),
        widths=_widths(arena),
    )


@dataclass(frozen=True)
class _Candidate:
    pk: int
    weight: float


def _candidates(arena: Arena, now: datetime) -> list[_Candidate]:
    """Those that were drawn before: the newest revision of a model is a candidate from its first battle on."""
    entries = {each.language_model.current_id: each for each in playing(arena)}
    known = Contestant.objects.filter(revision__in=entries, sampling_digest="").order_by("pk")
    return [_Candidate(each.pk, weight_of(entries[each.revision_id], now)) for each in known]


def _names(contestants: dict[int, float]) -> dict[int, str]:
    found = Contestant.objects.filter(pk__in=contestants).select_related("revision__language_model")
    return {each.pk: each.revision.language_model.name if each.revision else each.name for each in found}


def _next(
    arena: Arena,
    weights: dict[int, float],
    names: dict[int, str],
    known: Known | None,
    state: SelectionState,
    cap: NewcomerCap | None,
) -> tuple[list[ModelNext], list[PairNext], int]:
    ids = sorted(weights)
    if sum(weight > 0 for weight in weights.values()) < 2:
        return [], [], 0
    chances = pair_chances(
        policy=arena.campaign.policy,
        parameters=arena.campaign.policy_parameters,
        candidates=[Candidate(pk, weights[pk]) for pk in ids],
        state=known.state if known else None,
        cap=cap,
    )
    new = set(cap.newcomers) if cap else set()
    votes = dict(zip(state.names.tolist(), state.battles.tolist(), strict=True))
    shares = chances.sum(axis=1)
    models = [
        ModelNext(names[pk], votes[pk], weights[pk], float(shares[place]), pk in new) for place, pk in enumerate(ids)
    ]
    every = list(combinations(range(len(ids)), 2))
    every.sort(key=lambda pair: (-chances[pair], pair))
    found = pairs_known(state, ids)
    pairs = [_pair(ids, pair, float(chances[pair]), len(every), names, found, new) for pair in every[:PAIRS]]
    return sorted(models, key=lambda each: (-each.share, each.name)), pairs, len(every)


def _pair(
    ids: list[int],
    pair: tuple[int, int],
    chance: float,
    count: int,
    names: dict[int, str],
    known: PairsKnown,
    new: set[int],
) -> PairNext:
    both = [ids[place] for place in pair]
    gap, error, met = (float(table[pair]) for table in (known.gap, known.error, known.votes))
    return PairNext(
        first=names[both[0]],
        second=names[both[1]],
        chance=chance,
        times=chance * count,
        votes=met,
        out=round(float(known.out[pair])),
        gap=gap,
        error=error,
        why=_why(chance * count, met, abs(gap) < CLEAR * error, not new.isdisjoint(both)),
    )


def _why(times: float, met: float, is_open: bool, is_new: bool) -> str:
    if is_new:
        return "newcomer"
    if met == 0:
        return "unmet"
    if is_open:
        return "open" if times >= 1.0 else "close"
    return "floor"


def _percent(saved: VotesSaved) -> float | None:
    if isnan(saved.uniform) or saved.uniform == 0:
        return None
    return 100.0 * (1.0 - saved.votes / saved.uniform)


def _categories(arena: Arena) -> list[CategoryNext]:
    rows = CategorySelection.objects.filter(campaign=arena.campaign).order_by("-votes", "category")
    limit = arena.category_votes
    return [
        CategoryNext(name, votes, limit is not None and votes >= limit and arena.campaign.policy != "uniform")
        for name, votes in rows.values_list("category", "votes")
    ]


def _holdout(arena: Arena) -> Holdout:
    drawn = Impression.objects.filter(campaign=arena.campaign, floor__isnull=False, item__source__kind=SourceKind.LIVE)
    return Holdout(**drawn.aggregate(drawn=Count("pk"), alike=Count("pk", filter=Q(floor=True))))


def _widths(arena: Arena) -> list[Width]:
    """Of at most a dozen snapshots of the arena's board, from the first to the newest."""
    board = main_board(arena.campaign)
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
