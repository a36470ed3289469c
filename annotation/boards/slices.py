"""Which rows of a campaign a board takes."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from annotation.errors import AnnotationError
from annotation.models import Judgment

FIELDS = {"category": "item__category", "flags": "item__flags__contains", "language": "item__language"}


class UnknownSlice(AnnotationError):
    """A board's slice names something that judgments cannot be chosen by."""


def sliced(judgments: QuerySet[Judgment], slice: Mapping[str, Any]) -> QuerySet[Judgment]:
    """The judgments of a slice {"category": …, "flags": […], "language": …}; an empty one takes all."""
    unknown = sorted(slice.keys() - FIELDS.keys())
    if unknown:
        raise UnknownSlice(f"judgments cannot be chosen by {', '.join(unknown)}")
    return judgments.filter(**{FIELDS[name]: value for name, value in slice.items()})
