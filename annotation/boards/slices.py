"""Which rows of a campaign a board takes: one table of fields, by which all else goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import MediaKind, Preference, PromptLength, SourceKind, TurnKind
from annotation.errors import AnnotationError
from annotation.models import Event, FollowUp, Judgment, MediaFile, Respondent, Response, Turn

Rows = QuerySet[Judgment]
NEVER = datetime(1, 1, 2, tzinfo=UTC)
# The whole, with the votes that blocks of people keep out of it.
WITH_EXCLUDED = {"excluded": "with"}


class UnknownSlice(AnnotationError):
    """A board's slice names something, or a value of it, that judgments cannot be chosen by."""


@dataclass(frozen=True)
class Field:
    """Something that judgments are chosen by. `check` says of a value whether it can be one."""

    title: str | Promise
    takes: str  # what a value is, for whoever gave another
    check: Callable[[Any], bool]
    # Rows, value and the moment as of which people's groups are read, None for now.
    choose: Callable[[Rows, Any, datetime | None], Rows]
    words: Callable[[Any], str]
    values: tuple[str, ...] = ()  # all there are; empty where there is no end of them


def check_slice(slice: Mapping[str, Any]) -> None:
    """Raises UnknownSlice with the name of the field or value."""
    if unknown := sorted(slice.keys() - FIELDS.keys()):
        raise UnknownSlice(f"judgments cannot be chosen by {', '.join(unknown)}; fields: {', '.join(FIELDS)}")
    for name, value in slice.items():
        if not FIELDS[name].check(value):
            raise UnknownSlice(f"{name} cannot be {value!r:.80}: it is {FIELDS[name].takes}")
    if {"from", "to"} <= slice.keys() and slice["from"] >= slice["to"]:
        raise UnknownSlice(f"to {slice['to']} is not after from {slice['from']}")


def sliced(judgments: Rows, slice: Mapping[str, Any], *, as_of: datetime | None = None) -> Rows:
    """The judgments of a slice; an empty one takes all. People count for their groups of now, or of `as_of`."""
    check_slice(slice)
    for name in FIELDS:
        if name in slice:
            judgments = FIELDS[name].choose(judgments, slice[name], as_of)
    return judgments


def with_excluded(slice: Mapping[str, Any]) -> bool:
    """Whether a slice also takes votes that were set apart with the people who gave them."""
    return WITH_EXCLUDED.items() <= slice.items()


def slice_words(slice: Mapping[str, Any]) -> str:
    """What a slice takes, for the end of a sentence; empty for the whole."""
    return get_text_list([FIELDS[name].words(slice[name]) for name in FIELDS if name in slice], _("and"))


def slice_label(slice: Mapping[str, Any]) -> tuple[str, str]:
    """A title for slices of this kind, and what one is called under it: of one field with a free value, that value."""
    if len(slice) != 1:
        return _("Several at once"), slice_words(slice)
    ((name, value),) = slice.items()
    field = FIELDS[name]
    plain = isinstance(value, str) and bool(value) and not field.values
    return str(field.title), value if plain else field.words(value)


def taken_by_blocks(campaign_id: int) -> list[int]:
    """The answers that blocks of people ever took out of a campaign, whatever became of them since."""
    people = Respondent.objects.filter(campaign=campaign_id).values_list("pk", flat=True)
    events = Event.objects.filter(subject=Respondent._meta.label_lower, verb="blocked")
    said = events.values_list("subject_id", "data")
    own = set(map(str, people.filter(pk__in=[int(pk) for pk, _data in said])))
    return sorted({answer for pk, data in said if pk in own for answer in (data or {}).get("taken", [])})


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _begin(value: str) -> datetime:
    return datetime.combine(date.fromisoformat(value), time(), UTC)


def dated(judgments: Rows) -> Rows:
    """Without imported votes that bear the moment of their import: when they were given is not known."""
    imported = Cast(KeyTextTransform("imported_at", "source__details"), DateTimeField())
    undated = Q(source__kind=SourceKind.IMPORT, submitted_at=Coalesce(imported, Value(NEVER)))
    return judgments.exclude(undated)


def _by_turns(judgments: Rows, value: str, as_of: datetime | None) -> Rows:
    said = FollowUp.objects.filter(item=OuterRef("item"))
    if value == "3+":
        return judgments.filter(Exists(said.filter(number=2)))
    further = Exists(said.filter(number=1))
    return judgments.filter(~further if value == "1" else further & ~Exists(said.filter(number=2)))


def _by_group(judgments: Rows, value: str, as_of: datetime | None) -> Rows:
    """Who was in the group at `as_of`: each change of somebody's groups since says which they were in before it."""
    member = Q(respondent__groups__contains=[value])
    if as_of is None:
        return judgments.filter(member)
    changes = Event.objects.filter(
        subject=Respondent._meta.label_lower, verb="groups_changed", created_at__gt=as_of
    ).order_by("-pk")
    before = {int(pk): data["before"] for pk, data in changes.values_list("subject_id", "data")}
    were = [pk for pk, groups in before.items() if value in groups]
    return judgments.filter((member & ~Q(respondent__in=list(before))) | Q(respondent__in=were))


def _by_output(judgments: Rows, value: str, as_of: datetime | None) -> Rows:
    """By what its models answer with; responses that nobody's model wrote, by the files they are."""
    kinds = MediaKind.values if value == "text" else [value]
    models = Response.objects.filter(item=OuterRef("item"), contestant__revision__output__in=kinds)
    stored = MediaFile.objects.filter(stored=OuterRef("file"), kind__in=kinds)
    files = Turn.objects.filter(Exists(stored), response__item=OuterRef("item"), kind=TurnKind.FILE)
    of_kind = Exists(models) | Exists(files)
    return judgments.filter(~of_kind if value == "text" else of_kind)


def _quoted(names: list[str]) -> str:
    return get_text_list([f"“{name}”" for name in names], _("and"))


def _shown_day(value: str) -> str:
    return date_format(date.fromisoformat(value), "j F Y")


def _one_of(
    title: Promise, choose: Callable[[Rows, Any, datetime | None], Rows], words: Mapping[str, Promise]
) -> Field:
    """A field with so many values and no others."""
    words = {str(value): said for value, said in words.items()}
    values = tuple(words)
    return Field(
        title,
        "one of " + ", ".join(values),
        lambda value: isinstance(value, str) and value in values,
        choose,
        lambda value: str(words[value]),
        values,
    )


FIELDS: dict[str, Field] = {
    "category": Field(
        gettext_lazy("Category"),
        "a category's name",
        _text,
        lambda rows, value, as_of: rows.filter(item__category=value),
        lambda value: _("prompts of the category “%(name)s”") % {"name": value},
    ),
    "flags": Field(
        gettext_lazy("Flags"),
        "a list of flags",
        _texts,
        lambda rows, value, as_of: rows.filter(item__flags__contains=value),
        lambda value: _("prompts flagged %(names)s") % {"names": _quoted(value)},
    ),
    "language": Field(
        gettext_lazy("Language"),
        "a language's code",
        _text,
        lambda rows, value, as_of: rows.filter(item__language=value),
        lambda value: _("prompts in the language “%(code)s”") % {"code": value},
    ),
    "length": _one_of(
        gettext_lazy("Length of the prompt"),
        lambda rows, value, as_of: rows.filter(item__prompt__length=value),
        {
            PromptLength.SHORT: gettext_lazy("prompts of up to 100 characters"),
            PromptLength.MEDIUM: gettext_lazy("prompts of 101 to 500 characters"),
            PromptLength.LONG: gettext_lazy("prompts of 501 to 2,000 characters"),
            PromptLength.VERY_LONG: gettext_lazy("prompts of more than 2,000 characters"),
        },
    ),
    "turns": _one_of(
        gettext_lazy("Turns"),
        _by_turns,
        {
            "1": gettext_lazy("conversations of one turn"),
            "2": gettext_lazy("conversations of two turns"),
            "3+": gettext_lazy("conversations of three turns or more"),
        },
    ),
    "output": _one_of(
        gettext_lazy("Answers with"),
        _by_output,
        {
            "text": gettext_lazy("answers in text"),
            "image": gettext_lazy("answers that are images"),
            "audio": gettext_lazy("answers that are sounds"),
            "video": gettext_lazy("answers that are films"),
        },
    ),
    "group": Field(
        gettext_lazy("Group of people"),
        "a group's name",
        lambda value: _text(value) and bool(value),
        _by_group,
        lambda value: _("people of the group “%(name)s”") % {"name": value},
    ),
    "from": Field(
        gettext_lazy("From"),
        "a day as YYYY-MM-DD, UTC",
        _day,
        lambda rows, value, as_of: dated(rows).filter(submitted_at__gte=_begin(value)),
        lambda value: _("judgments from %(day)s on (UTC)") % {"day": _shown_day(value)},
    ),
    "to": Field(
        gettext_lazy("Before"),
        "a day as YYYY-MM-DD, UTC; it is the first that is left out",
        _day,
        lambda rows, value, as_of: dated(rows).filter(submitted_at__lt=_begin(value)),
        lambda value: _("judgments before %(day)s (UTC)") % {"day": _shown_day(value)},
    ),
    "ties": _one_of(
        gettext_lazy("Ties"),
        lambda rows, value, as_of: rows.exclude(preference=Preference.TIE),
        {"without": gettext_lazy("judgments that see a difference")},
    ),
    # Which rows these are is for annotation.queries.log to say: that they count at all comes before any choice.
    "excluded": _one_of(
        gettext_lazy("Votes that are set apart"),
        lambda rows, value, as_of: rows,
        {"with": gettext_lazy("also the votes of people who were blocked, which other boards leave out")},
    ),
}
