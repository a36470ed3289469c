"""What a contestant is called where everybody reads."""

from collections.abc import Iterable

from annotation.models import Contestant
from inference_workers.policies.releases import may_be_named


def contestant_names(ids: Iterable[int]) -> dict[int, str]:
    """Names by id, with the revision from the second on and with settings that somebody said to tell apart: those of
    one language model are contestants of their own.

    A language model that was not released stands under a stand-in name, whatever became of it.
    """
    model = "revision__language_model"
    columns = ("pk", "name", "revision__number", "settings_name", f"{model}__visibility", f"{model}__released_at")
    rows = Contestant.objects.filter(pk__in=list(ids)).values_list(*columns)
    return {
        pk: name_of(name, number, settings)
        if number is None or may_be_named(visibility=visibility, released_at=released_at)
        else stand_in(pk)
        for pk, name, number, settings, visibility, released_at in rows
    }


def stand_in(contestant: int) -> str:
    return f"stand-in {contestant}"


def name_of(name: str, revision: int | None, settings: str = "") -> str:
    """`revision` is None for what was imported."""
    whole = name if revision is None or revision == 1 else f"{name}, revision {revision}"
    return f"{whole} ({settings})" if settings else whole
