"""The whole list of questions in the editor: read from a draft or a request, changed, and checked."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from annotation.forms.question import (
    MOST_QUESTIONS,
    UID,
    Fault,
    Other,
    QuestionForm,
    Raw,
    SettingField,
    as_typed,
    settings_of,
)
from annotation.policies.conflicts import called, conflict_words
from annotation.policies.drafts import as_asked
from annotation.questions import Asked, InvalidSettings, UnknownQuestionType, Why, all_types, conflicts, get_type
from foundation.text import clean_text

PLAIN = ("name", "title", "share", "after")
# Where a conflict is said that one field mends; others are said of the question.
FIELDS_OF = {Why.TAKEN: "name", Why.CONDITION: "after"}


class QuestionsForm:
    """Questions by uid, in their order. A uid holds for one page: it keeps names of inputs when a question moves.

    Bound, it judges what was typed; unbound, it only shows it, so that a list can be put in order while something in
    it is not finished.
    """

    def __init__(self, entries: Mapping[str, Raw], *, bound: bool = False, version: str = "") -> None:
        self.entries = dict(entries)
        self.bound = bound
        self.version = version
        self.errors: list[str] = []
        # Where writing goes on, after a question was added.
        self.added = ""

    @classmethod
    def of_draft(cls, questions: Sequence[Mapping[str, Any]], version: str) -> "QuestionsForm":
        """Questions of a type that this version does not have are left out, and said."""
        known = [question for question in questions if question["type"] in all_types()]
        uids = {question["name"]: str(number) for number, question in enumerate(known, start=1)}
        form = cls({uids[question["name"]]: _raw_of(question, uids) for question in known}, version=version)
        form.errors = [
            _("This version does not know the question type “%(type)s”.") % {"type": question["type"]}
            for question in questions
            if question not in known
        ]
        return form

    @classmethod
    def of_post(cls, post: QueryDict, *, bound: bool) -> "QuestionsForm":
        order = list(dict.fromkeys(uid for uid in post.getlist("order") if UID.match(uid)))
        entries = {uid: _raw_posted(post, uid) for uid in order if post.get(f"q{uid}-type") in all_types()}
        form = cls(entries, bound=bound, version=post.get("version", "")[:64])
        if len(entries) < len(post.getlist("order")):
            form.errors.append(_("A question came in a form that nobody can have drawn here. Load the page again."))
        if bound and not form.version:
            form.errors.append(_("This form does not say what it was opened on. Load the page again."))
        return form

    def change(self, action: str) -> str:
        """Do `add:TYPE`, `up:UID`, `down:UID` or `remove:UID`; the uid that it was about, "" where nothing was done."""
        verb, _colon, what = action.partition(":")
        if verb == "add" and what in all_types() and len(self.entries) < MOST_QUESTIONS:
            return self._add(what)
        if what not in self.entries:
            return ""
        if verb == "remove":
            del self.entries[what]
        elif verb in {"up", "down"}:
            self._move(what, -1 if verb == "up" else 1)
        return what

    @cached_property
    def forms(self) -> list[QuestionForm]:
        marks = {uid: _marks(raw) for uid, raw in self.entries.items()}
        uids = list(self.entries)
        forms = [
            QuestionForm(uid, raw, self._others(uid, uids, marks), bound=self.bound)
            for uid, raw in self.entries.items()
        ]
        for form in forms:
            form.fields["title"].widget.attrs["autofocus"] = form.uid == self.added
        return forms

    def is_valid(self) -> bool:
        """Whether this can be a draft: every question by itself, and all of them together."""
        for form in self.forms:
            form.full_clean()
        self._check_names()
        self._check_together()
        first = next((form for form in self.forms if form.errors), None)
        if first is not None and not self.errors:
            first.draw_attention()
        return first is None and not self.errors

    @property
    def has_errors(self) -> bool:
        return bool(self.errors) or (self.bound and any(form.errors for form in self.forms))

    @property
    def faults(self) -> list[tuple[str, list[Fault]]]:
        """Of a list that was judged: everything that was refused, by question as the page heads it."""
        if not self.bound:
            return []
        return [
            (capfirst(called(number, form.kind)), form.faults)
            for number, form in enumerate(self.forms, start=1)
            if form.errors
        ]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """Of a valid list, as drafts hold it."""
        return self._questions(self.forms)

    @property
    def drawable(self) -> list[dict[str, Any]]:
        """Those that can be shown as they stand: good by themselves, under a name of their own."""
        good: dict[str, QuestionForm] = {}
        judged = self if self.bound else QuestionsForm(self.entries, bound=True)
        for form in judged.forms:
            if form.is_valid():
                good.setdefault(form.cleaned_data["name"], form)
        return self._questions(list(good.values()))

    @property
    def is_full(self) -> bool:
        return len(self.entries) >= MOST_QUESTIONS

    def _questions(self, forms: Sequence[QuestionForm]) -> list[dict[str, Any]]:
        names = {form.uid: form.cleaned_data["name"] for form in forms}
        return [form.question(names) for form in forms]

    def _others(self, uid: str, uids: Sequence[str], marks: Mapping[str, Sequence[tuple[str, Any]]]) -> list[Other]:
        place = uids.index(uid)
        return [
            Other(each, self._label(each, number + 1), marks[each], is_earlier=number < place)
            for number, each in enumerate(uids)
            if each != uid and marks[each]
        ]

    def _label(self, uid: str, number: int) -> str:
        raw = self.entries[uid]
        return f"{number}. {raw.get('title') or get_type(raw['type']).title}"

    def _add(self, slug: str) -> str:
        taken = {raw.get("name") for raw in self.entries.values()}
        name = next(
            each for each in (slug, *(f"{slug}-{n}" for n in range(2, MOST_QUESTIONS + 2))) if each not in taken
        )
        uid = str(max((int(each) for each in self.entries), default=0) + 1)
        self.entries[uid] = _raw_of({"name": name, "type": slug}, {})
        self.added = uid
        return uid

    def _move(self, uid: str, step: int) -> None:
        order = list(self.entries)
        place = order.index(uid)
        target = min(max(place + step, 0), len(order) - 1)
        order.insert(target, order.pop(place))
        self.entries = {each: self.entries[each] for each in order}

    def _check_names(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            name = form.cleaned_data.get("name")
            if name in seen:
                form.add_error("name", _("Another question has this name."))
            if name:
                seen.add(name)

    def _check_together(self) -> None:
        """How those that are good by themselves go together, also beside others that are not finished."""
        good = [form for form in self.forms if not form.errors]
        unfinished = [form for form in self.forms if form.errors]
        names = {form.uid: form.cleaned_data["name"] for form in good}
        asked = [as_asked(form.question(names)) for form in good]
        numbered = [called(self.forms.index(form) + 1, form.kind) for form in good]
        for conflict in conflicts(asked):
            if conflict.why == Why.NEEDS and any(conflict.column in form.kind.gives for form in unfinished):
                continue  # the one it needs may be among them
            at = FIELDS_OF.get(conflict.why)
            good[conflict.place].add_error(at, conflict_words(conflict, asked, numbered))


def _raw_of(question: Mapping[str, Any], uids: Mapping[str, str]) -> Raw:
    kind = get_type(question["type"])
    condition = question.get("condition") or {"question": "", "values": []}
    stored = question.get("settings", {})
    typed = {f"set-{name}": as_typed(stored.get(name, setting.default)) for name, setting in settings_of(kind).items()}
    return {
        "type": question["type"],
        "name": question["name"],
        "title": question.get("title", ""),
        "required": question.get("required", True),
        "share": f"{question.get('ask_probability', 1.0) * 100:g}",
        "after": uids.get(condition["question"], ""),
        "after_values": list(condition["values"]),
        **typed,
    }


def _raw_posted(post: QueryDict, uid: str) -> Raw:
    def typed(name: str) -> str:
        return clean_text(post.get(f"q{uid}-{name}", ""))

    slug = str(post[f"q{uid}-type"])
    return {
        "type": slug,
        "required": f"q{uid}-required" in post,
        "after_values": [clean_text(value) for value in post.getlist(f"q{uid}-after_values")],
        **{name: typed(name) for name in PLAIN},
        **{f"set-{name}": typed(f"set-{name}") for name in settings_of(get_type(slug))},
    }


def _marks(raw: Raw) -> Sequence[tuple[str, Any]]:
    """Every answer on which a condition can hang, as the question is set now; none while it is not set right."""
    kind = get_type(raw["type"])
    settings = {}
    for name, setting in settings_of(kind).items():
        try:
            settings[name] = SettingField(setting).clean(raw[f"set-{name}"])
        except ValidationError:
            return []
    try:
        asked = Asked(name="name", type=raw["type"], settings=settings)
    except (InvalidSettings, UnknownQuestionType):
        return []
    return kind.mark_options(asked)
