"""What a contestant is called where everybody reads."""

from collections.abc import Iterable

from annotation.models import Contestant
from inference_workers.enums import Visibility


def contestant_names(ids: Iterable[int]) -> dict[int, str]:
    """Names by id. A language model that is not released yet stands under a stand-in name."""
    rows = Contestant.objects.filter(pk__in=list(ids)).values_list("pk", "name", "revision__language_model__visibility")
    return {pk: f"stand-in {pk}" if visibility == Visibility.HIDDEN else name for pk, name, visibility in rows}
