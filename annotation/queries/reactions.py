"""What people say of single answers, as it stands: of every kind the last row holds."""

from collections.abc import Collection

from django.db.models import F, QuerySet

from annotation.models import Reaction


def standing_reactions(item_ids: Collection[int]) -> dict[int, list[str]]:
    """The kinds that are set on each turn of these items, by the turn's id, of the answer that it has now."""
    found: dict[int, list[str]] = {}
    for turn, kind in _last(item_ids).filter(regenerations=F("turn__regenerations")).values_list("turn_id", "kind"):
        found.setdefault(turn, []).append(kind)
    return found


def reactions_by_item(item_ids: Collection[int]) -> dict[int, int]:
    """How many stand on the answers of each item; one without any is left out."""
    found: dict[int, int] = {}
    last = _last(item_ids).filter(regenerations=F("turn__regenerations"))
    for item in last.values_list("turn__response__item_id", flat=True):
        found[item] = found.get(item, 0) + 1
    return found


def _last(item_ids: Collection[int]) -> QuerySet[Reaction]:
    of_these = Reaction.objects.filter(turn__response__item__in=item_ids)
    last = of_these.order_by("respondent_id", "turn_id", "regenerations", "kind", "-pk")
    newest = last.distinct("respondent_id", "turn_id", "regenerations", "kind").values("pk")
    return Reaction.objects.filter(pk__in=newest, is_set=True).order_by("turn_id", "kind")
