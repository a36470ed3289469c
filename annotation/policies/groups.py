"""The words by which people of a campaign are told apart: for quotas, filters and slices."""

from collections.abc import Iterable

from annotation.errors import AnnotationError
from foundation.text import clean_text

MOST_GROUPS = 20
LONGEST_GROUP = 80


class BadGroups(AnnotationError):
    """More groups than one person may be in, or a name that cannot be one."""


def group_names(words: Iterable[str]) -> list[str]:
    """Each once, in alphabetical order, without the empty ones, in small letters: “Nurses” and “nurses” are one group.
    A comma stands between groups, never in one.
    """
    names = sorted({name for word in words if (name := " ".join(clean_text(word).split()).lower())})
    if len(names) > MOST_GROUPS:
        raise BadGroups(f"at most {MOST_GROUPS} groups")
    wrong = [name for name in names if len(name) > LONGEST_GROUP or "," in name]
    if wrong:
        raise BadGroups(f"a group is at most {LONGEST_GROUP} characters without a comma, not {wrong[0]!r:.60}")
    return names
