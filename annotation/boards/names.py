"""What a contestant is called where everybody reads."""

from collections.abc import Iterable

from annotation.models import Contestant
from inference_workers.enums import Visibility


def contestant_names(ids: Iterable[int]) -> dict[int, str]:
    """Names by id, with the revision from the second on and with settings that somebody said to tell apart: those of
    one language model are contestants of their own.

    A language model that is not released yet stands under a stand-in name.
    """
    columns = ("pk", "name", "revision__number", "settings_name", "revision__language_model__visibility")
    rows = Contestant.objects.filter(pk__in=list(ids)).values_list(*columns)
    return {
        pk: f"stand-in {pk}" if visibility == Visibility.HIDDEN else name_of(name, number, settings)
        for pk, name, number, settings, visibility in rows
    }


def name_of(name: str, revision: int | None, settings: str = "") -> str:
    """`revision` is None for what was imported."""
    whole = name if revision is None or revision == 1 else f"{name}, revision {revision}"
    return f"{whole} ({settings})" if settings else whole
