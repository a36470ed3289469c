"""An arena's prompts: what may be drawn, what a visitor is offered, and what its admins see of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length

from annotation.selection.draws import draw_of_groups, draw_places
from arena.enums import PromptDrawKind
from arena.errors import ArenaError
from arena.models import Arena, PoolPrompt

# How many a visitor sees at once.
OFFERED = 4
PAGE = 50


class PoolEmpty(ArenaError):
    """The arena's pool has no prompt that could be drawn, or none of that category."""


@dataclass(frozen=True)
class Offer:
    """Prompts drawn from a pool, with all that tells how: the same seed and pool draw the same."""

    kind: PromptDrawKind
    category: str
    by_category: bool
    seed: int
    pool_size: int
    pool_digest: str
    probability: float  # of each of them to be among the drawn ones
    prompts: tuple[PoolPrompt, ...]


def drawable(arena: Arena, category: str = "") -> QuerySet[PoolPrompt]:
    """Those that a battle of this arena could ask now."""
    fitting = arena.pool.annotate(length=Length("text")).filter(is_active=True, length__lte=arena.max_prompt_chars)
    return fitting.filter(category=category) if category else fitting


def categories_of(arena: Arena) -> list[str]:
    """Of what could be drawn, by name."""
    return list(drawable(arena).exclude(category="").order_by("category").values_list("category", flat=True).distinct())


def draw_offer(arena: Arena, *, category: str, seed: int, most: int = OFFERED) -> Offer | None:
    """A handful, each list of that many as likely as any other. None where there is nothing to draw."""
    ids = list(drawable(arena, category).order_by("pk").values_list("pk", flat=True))
    if not ids:
        return None
    found = [ids[place] for place in draw_places(len(ids), most, seed=seed)]
    return Offer(
        kind=PromptDrawKind.OFFERED,
        category=category,
        by_category=False,
        seed=seed,
        pool_size=len(ids),
        pool_digest=digest_of(ids),
        probability=len(found) / len(ids),
        prompts=_in_order(found),
    )


def draw_any(arena: Arena, *, category: str, seed: int) -> Offer:
    """One prompt with its exact probability: any alike, or first a category where the arena says so.

    Raises PoolEmpty.
    """
    rows = list(drawable(arena, category).order_by("pk").values_list("pk", "category"))
    if not rows:
        raise PoolEmpty(f"no prompt can be drawn of {category or 'any category'}")
    ids, by_category = [pk for pk, _category in rows], arena.pool_by_category and not category
    if by_category:
        pk, probability = draw_of_groups(_groups(rows), seed=seed)
    else:
        pk, probability = ids[draw_places(len(ids), 1, seed=seed)[0]], 1 / len(ids)
    return Offer(
        kind=PromptDrawKind.ANY,
        category=category,
        by_category=by_category,
        seed=seed,
        pool_size=len(ids),
        pool_digest=digest_of(ids),
        probability=probability,
        prompts=_in_order([pk]),
    )


def _groups(rows: Sequence[tuple[int, str]]) -> list[list[int]]:
    """Ids by category, those of none being one too."""
    by_name: dict[str, list[int]] = {}
    for pk, name in rows:
        by_name.setdefault(name, []).append(pk)
    return [by_name[name] for name in sorted(by_name)]


def digest_of(ids: Sequence[int]) -> str:
    return sha256(",".join(str(pk) for pk in ids).encode()).hexdigest()


def _in_order(ids: Sequence[int]) -> tuple[PoolPrompt, ...]:
    found = PoolPrompt.objects.in_bulk(ids)
    return tuple(found[pk] for pk in ids)


@dataclass(frozen=True)
class PoolCounts:
    active: int
    retired: int
    categories: list[tuple[str, int]]


def pool_counts(arena: Arena) -> PoolCounts:
    """`categories` with how many of each could be drawn."""
    totals = arena.pool.aggregate(active=Count("pk", filter=Q(is_active=True)), all=Count("pk"))
    listed = drawable(arena).order_by("category").values_list("category").annotate(count=Count("pk"))
    return PoolCounts(totals["active"], totals["all"] - totals["active"], [(name, count) for name, count in listed])


def pool_page(arena: Arena, *, number: str, category: str = "", words: str = "") -> Page[Any]:
    """The newest first, each with `asked`, how many battles asked it."""
    found = arena.pool.annotate(asked=Count("draws")).order_by("-pk")
    if category:
        found = found.filter(category=category)
    if words:
        found = found.filter(text__icontains=words)
    return Paginator(found, PAGE).get_page(number)
