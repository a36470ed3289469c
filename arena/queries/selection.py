"""Where an arena's next questions go, and why: for its admins, who may know every name."""

from dataclasses import dataclass
from datetime import datetime

from annotation.models import CategorySelection, Contestant
from annotation.queries.pairs import known_of, learn
from annotation.queries.selection import Outlook, outlook
from arena.models import Arena
from arena.queries.arenas import weight_of
from arena.queries.next_draw import known_for, newcomer_cap, playing


@dataclass(frozen=True)
class CategoryNext:
    name: str
    votes: int
    is_own: bool


@dataclass(frozen=True)
class ArenaOutlook:
    """`goes_by` is empty, "whole", or the category by whose own votes is drawn."""

    outlook: Outlook
    category: str
    goes_by: str
    categories: list[CategoryNext]


def outlook_of(arena: Arena, *, category: str, now: datetime) -> ArenaOutlook:
    """As the next battle on a prompt of this category would be drawn, "" where it has none."""
    campaign = arena.campaign
    known, goes_by = known_for(arena, campaign, category)
    seen = known or known_of(campaign) or learn(campaign)  # whose policy learns nothing may keep nothing
    weights = _weights(arena, now)
    found = outlook(
        campaign,
        weights=weights,
        seen=seen.state,
        draws_by=known.state if known else None,
        cap=newcomer_cap(arena, weights, known_of(campaign)),
    )
    return ArenaOutlook(found, category, goes_by, _categories(arena))


def _weights(arena: Arena, now: datetime) -> dict[int, float]:
    """Of those that were drawn before: the newest revision of a model is a candidate from its first battle on."""
    entries = {each.language_model.current_id: each for each in playing(arena)}
    known = Contestant.objects.filter(revision__in=entries, sampling_digest="").order_by("pk")
    return {each.pk: weight_of(entries[each.revision_id], now) for each in known}


def _categories(arena: Arena) -> list[CategoryNext]:
    rows = CategorySelection.objects.filter(campaign=arena.campaign).order_by("-votes", "category")
    limit = arena.category_votes
    return [
        CategoryNext(name, votes, limit is not None and votes >= limit and arena.campaign.policy != "uniform")
        for name, votes in rows.values_list("category", "votes")
    ]
