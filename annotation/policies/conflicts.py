"""Why questions cannot be asked together, as somebody reads it who sees them numbered, by their types and labels."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from annotation.questions import Asked, Conflict, QuestionType, Why, all_types, conflicts, get_type

# A question with this setting gives boards its numbers only where it is on.
TO_BOARDS = "to_ranking"


def conflict_words(conflict: Conflict, asked: Sequence[Asked], names: Sequence[str]) -> str:
    """What is wrong and what mends it; which question it is about stands where this is shown. `names` are theirs."""
    if conflict.why == Why.NEEDS:
        return _needs(conflict, asked, names)
    if conflict.why == Why.TWICE:
        return _twice(conflict, asked, names)
    if conflict.why == Why.LATE and conflict.other is not None:
        return _("Move it above %(other)s, which has to heed its answer.") % {"other": names[conflict.other]}
    if conflict.why == Why.TAKEN:
        return _("This name is taken. Give the question another.")
    if conflict.why == Why.CONDITION:
        return _("It is asked after an answer that is not there any more. Choose anew when it is asked.")
    return _("Its name or its words cannot be kept as they are.")


def conflicts_in_words(asked: Sequence[Asked]) -> list[str]:
    """All of them, each with the question it is about."""
    names = [called(number, get_type(question.type)) for number, question in enumerate(asked, start=1)]
    return [
        _("%(question)s: %(why)s") % {"question": names[each.place], "why": conflict_words(each, asked, names)}
        for each in conflicts(asked)
    ]


def called(number: int, kind: QuestionType) -> str:
    return _("question %(number)d (%(type)s)") % {"number": number, "type": kind.label}


def _needs(conflict: Conflict, asked: Sequence[Asked], names: Sequence[str]) -> str:
    below = [place for place in range(conflict.place + 1, len(asked)) if conflict.column in _given(asked[place])]
    if below:
        return _("Move it below %(other)s, on whose answer it depends.") % {"other": names[below[0]]}
    kinds = [str(kind.label) for kind in all_types().values() if conflict.column in kind.gives]
    return _("It depends on another answer: add a question of the type %(types)s above it.") % {
        "types": " / ".join(sorted(kinds))
    }


def _twice(conflict: Conflict, asked: Sequence[Asked], names: Sequence[str]) -> str:
    other = conflict.other if conflict.other is not None else conflict.place
    settings = [get_type(asked[place].type).settings.get(TO_BOARDS) for place in (conflict.place, other)]
    label = next((setting.label for setting in settings if setting is not None), None)
    if label is None:
        return _("Remove one of the two: %(other)s asks for the same already.") % {"other": names[other]}
    return _("Set “%(setting)s” to “%(no)s” here or in %(other)s: only one question gives boards their numbers.") % {
        "other": names[other],
        "setting": label,
        "no": _("No"),
    }


def _given(question: Asked) -> frozenset[str]:
    return get_type(question.type).columns_given(question)
