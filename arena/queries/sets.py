"""The released models that visitors may name, and the sets that they keep of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Person
from annotation.boards import contestant_names
from arena.enums import Mode
from arena.models import Arena, Battle, KeptModel
from arena.queries.arenas import playing_models


@dataclass(frozen=True)
class Nameable:
    """A model as visitors choose it. Its slug is as public as its name; numbers would have gaps where one is hidden."""

    slug: str
    name: str
    organisation: str


def nameable_models(arena: Arena) -> list[Nameable]:
    """Released ones that battles of the arena may draw, by name."""
    rows = playing_models(arena).order_by("name", "slug").values_list("slug", "name", "organisation")
    return [Nameable(*row) for row in rows]


def kept_models(person: Person | None, arena: Arena) -> list[Nameable]:
    """Of somebody's own set those that play now; empty for a browser that has done nothing yet."""
    if person is None:
        return []
    kept = KeptModel.objects.filter(person=person, arena=arena).values("language_model")
    rows = playing_models(arena).filter(pk__in=kept).order_by("name", "slug")
    return [Nameable(*row) for row in rows.values_list("slug", "name", "organisation")]


def names_chosen(battle: Battle, side_of: Mapping[int, str]) -> dict[str, str]:
    """By side the names of a battle's models, where its visitor chose to see them; none of any other battle."""
    if battle.mode != Mode.NAMED:
        return {}
    by_position = dict(battle.item.responses.values_list("position", "contestant"))
    names = contestant_names({pk for pk in by_position.values() if pk})
    return {side: names[pk] for position, side in side_of.items() if (pk := by_position[position])}
