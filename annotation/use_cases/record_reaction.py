from annotation.enums import ReactionKind
from annotation.errors import AnnotationError
from annotation.models import Reaction, Respondent, Turn

# So often may somebody change their mind about one answer; beyond it somebody is at play.
MOST = 100


class TooManyReactions(AnnotationError):
    """The same answer was reacted to a hundred times by the same respondent."""


def record_reaction(*, respondent: Respondent, turn: Turn, kind: str, is_set: bool) -> bool:
    """Set what somebody says of an answer, or take it back, in the caller's transaction and under its lock.

    False, and no row, where it stands like that. Raises TooManyReactions; an unknown kind is a ValueError.
    """
    mine = Reaction.objects.filter(respondent=respondent, turn=turn)
    of_kind = mine.filter(regenerations=turn.regenerations, kind=ReactionKind(kind))
    last = of_kind.order_by("-pk").first()
    if (last is not None and last.is_set) == is_set:
        return False
    if mine.count() >= MOST:
        raise TooManyReactions(f"{MOST} reactions to turn {turn.pk}")
    Reaction.objects.create(
        respondent=respondent, turn=turn, regenerations=turn.regenerations, kind=ReactionKind(kind), is_set=is_set
    )
    return True
