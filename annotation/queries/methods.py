"""A board's newest snapshot by other methods: computed once from exactly its votes, and kept as long as it is the
newest.

A fit takes seconds, so it is not made again for the same votes, and never two at once: whoever comes meanwhile is told
so.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Abs

from annotation.boards import digest_of, sliced
from annotation.boards.methods.declared import METHODS, METHODS_VERSION, Method, computed, why_not
from annotation.boards.methods.evidence import Evidence
from annotation.boards.methods.parts import shown_groups
from annotation.errors import AnnotationError
from annotation.models import Judgment, LeaderboardSnapshot, Respondent
from annotation.queries.keeping import kept
from annotation.queries.log import board_judgments
from annotation.ratings import UNKNOWN, Ints, PairRows, read_pairs
from foundation.database import try_advisory_lock

LOCK = "annotation.methods"
MOST_GROUPS = 8
Found = dict[str, Any]


class BeingComputed(AnnotationError):
    """Some method is being computed at the moment: one at a time, whoever asks."""


def method_board(snapshot: LeaderboardSnapshot, method: Method) -> Found:
    """A method's board of a snapshot's votes, contestants by id. Raises BeingComputed."""
    if "form" in snapshot.standings:
        return {"reason": "other_form"}
    return _kept(snapshot, method.name, lambda: computed(method, evidence_of(snapshot)))


def reasons_against(snapshot: LeaderboardSnapshot) -> dict[str, str | None]:
    """Why a method has no board of these votes, by its name, as far as can be said without its work; None where it has.
    Raises BeingComputed."""
    if "form" in snapshot.standings:
        return dict.fromkeys(METHODS, "other_form")

    def look() -> Found:
        evidence = evidence_of(snapshot)
        return {name: why_not(method, evidence) for name, method in METHODS.items()}

    return _kept(snapshot, "all", look)


def evidence_of(snapshot: LeaderboardSnapshot) -> Evidence:
    """The log as it was then: the same votes, mergers and groups of people as those of the snapshot."""
    judgments = votes_of(snapshot)
    merged = {int(pk): into for pk, into in snapshot.standings["merged"].items()}
    pairs = read_pairs(judgments, merged=merged)
    slice = dict(snapshot.slice)
    return Evidence(
        pairs=pairs,
        method=snapshot.method,
        seed=int(digest_of([snapshot.board.campaign_id, slice])[:16], 16),
        groups=_groups(snapshot, judgments, pairs),
        worth=snapshot.standings["worth"],
        entries=snapshot.standings["entries"],
        **_beside(judgments, pairs),
    )


def votes_of(snapshot: LeaderboardSnapshot) -> QuerySet[Judgment]:
    return board_judgments(
        snapshot.board.campaign,
        snapshot.slice,
        last_sequence=snapshot.last_sequence,
        retired=snapshot.retired_sources,
        as_of=snapshot.created_at,
    )


def _beside(judgments: QuerySet[Judgment], pairs: PairRows) -> dict[str, Any]:
    """What was said beside the votes that `read_pairs` reads, row by row."""
    rows = judgments.filter(contestants__len=2, contestants__0__isnull=False, contestants__1__isnull=False)
    said = rows.annotate(size=Abs("strength")).values_list("size", "strength_scale", "item__category")
    sizes, scales, categories = [], [], []
    for size, scale, category in said.iterator(chunk_size=20_000):
        sizes.append(UNKNOWN if size is None or not scale else size)
        scales.append(scale or 0)
        categories.append(category)
    if len(sizes) != len(pairs):
        raise BeingComputed(f"{len(sizes)} rows beside {len(pairs)}: something was settled meanwhile")
    return {
        "strength": np.array(sizes, dtype=np.int64),
        "scale": np.array(scales, dtype=np.int64),
        "category": np.array(categories, dtype=np.str_),
    }


def _groups(snapshot: LeaderboardSnapshot, judgments: QuerySet[Judgment], pairs: PairRows) -> dict[str, Ints]:
    everybody = np.unique(pairs.respondent[pairs.respondent >= 0])
    members: dict[str, Ints] = {}
    told = Respondent.objects.filter(pk__in=everybody.tolist()).exclude(groups=[]).values_list("groups", flat=True)
    for name in sorted({name for names in told for name in names}):
        inside = sliced(judgments, {"group": name}, as_of=snapshot.created_at).order_by()
        ids = set(inside.values_list("respondent_id", flat=True).distinct())
        members[name] = np.array(sorted(ids & set(everybody.tolist())), dtype=np.int64)
    return shown_groups(members, everybody, most=MOST_GROUPS)


def _kept(snapshot: LeaderboardSnapshot, part: str, compute: Callable[[], Found]) -> Found:
    def alone() -> Found:
        with transaction.atomic():
            if not try_advisory_lock(LOCK):
                raise BeingComputed(f"{part} of board {snapshot.board_id} waits for another")
            return compute()

    stamp = [snapshot.pk, snapshot.digest, METHODS_VERSION]
    found: Found = kept(f"methods:{snapshot.board_id}:{part}", stamp, alone)
    return found
