"""The editor of questions. What a type can be set to is drawn from its own `settings`, whatever type it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.forms.fields import PercentField
from annotation.questions import InvalidSettings, QuestionType, get_type
from annotation.questions.instrument import NAME, TITLE_LENGTH
from annotation.questions.settings import Kind, Setting
from foundation.text import clean_text

MOST_QUESTIONS = 40
UID = re.compile(r"\A[1-9][0-9]{0,3}\Z")
LONGEST_SETTING = 20_000
AUTOCOMPLETE_OFF = {"autocomplete": "off"}
Raw = dict[str, Any]


def settings_of(kind: QuestionType) -> dict[str, Setting]:
    """What an editor asks for; the wording too, where there is more than one."""
    return {**kind.settings, **({"wording": kind.wording_setting} if len(kind.wordings) > 1 else {})}


class SettingField(forms.Field):
    """One setting of a question type, as people type it: a number, a choice, a text, or lines of text.

    `held` is what a draft has: it stays in the list also where it is not offered, so that no save changes it unseen.
    """

    def __init__(self, setting: Setting, held: Any = None) -> None:
        self.setting = setting
        super().__init__(
            label=str(setting.label),
            required=False,
            initial=as_typed(setting.default),
            widget=self._widget(setting, held),
            help_text=""
            if setting.kind == Kind.CHOICE
            else _("%(expects)s.") % {"expects": setting.expects.capitalize()},
        )

    def clean(self, value: Any) -> Any:
        found = self._read(clean_text(value or "")[:LONGEST_SETTING])
        if not self.setting.accepts(found):
            raise forms.ValidationError(_("Expected is %(expects)s.") % {"expects": self.setting.expects})
        return found

    def _read(self, typed: str) -> Any:
        if self.setting.kind == Kind.LINES:
            return [line.strip() for line in typed.splitlines() if line.strip()]
        if self.setting.kind == Kind.NUMBER:
            return _number(typed.strip())
        return typed.strip()

    @staticmethod
    def _widget(setting: Setting, held: Any) -> forms.Widget:
        if setting.kind == Kind.CHOICE:
            choices = [each for each in setting.options.items() if each[0] in setting.offered or each[0] == held]
            return forms.Select(choices=choices)
        if setting.kind == Kind.LINES:
            return forms.Textarea(attrs={"rows": 3, **AUTOCOMPLETE_OFF})
        inputmode = {"inputmode": "numeric"} if setting.kind == Kind.NUMBER else {}
        return forms.TextInput(attrs={**inputmode, **AUTOCOMPLETE_OFF})


def as_typed(value: Any) -> str:
    return "\n".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _number(typed: str) -> int | float | None:
    if len(typed) > 30:
        return None
    try:
        return int(typed) if re.fullmatch(r"-?[0-9]+", typed) else float(typed)
    except ValueError:
        return None


@dataclass(frozen=True)
class Other:
    """Another question of the list, as far as a condition can hang on it."""

    uid: str
    label: str
    marks: Sequence[tuple[str, Any]]
    is_earlier: bool


@dataclass(frozen=True)
class Fault:
    """Something that was refused: the id of the element it is about, its label ("" where it is the whole), and why."""

    anchor: str
    label: str
    text: str


class QuestionForm(forms.Form):
    """One question. `raw` holds what was typed, or what a draft says, by the names of the fields."""

    use_required_attribute = False
    name = forms.RegexField(
        rf"\A(?:{NAME.pattern})\Z",
        label=gettext_lazy("Name in exports"),
        help_text=gettext_lazy("Letters, digits, hyphens and underscores. Annotators do not see it."),
        widget=forms.TextInput(attrs=AUTOCOMPLETE_OFF),
        max_length=40,
    )
    title = forms.CharField(
        label=gettext_lazy("What is asked"),
        required=False,
        max_length=TITLE_LENGTH,
        widget=forms.TextInput(attrs=AUTOCOMPLETE_OFF),
    )
    required = forms.BooleanField(label=gettext_lazy("An answer is required"), required=False)
    share = PercentField(label=gettext_lazy("Asked in this share of items, in percent"), low=0.1)
    after = forms.ChoiceField(label=gettext_lazy("Asked"), required=False)
    after_values = forms.MultipleChoiceField(
        label=gettext_lazy("After one of these answers"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one answer.")},
    )

    def __init__(self, uid: str, raw: Raw, others: Sequence[Other], *, bound: bool) -> None:
        prefix = f"q{uid}"
        data = {f"{prefix}-{name}": value for name, value in raw.items()} if bound else None
        super().__init__(data, prefix=prefix, initial=raw)
        self.uid, self.raw, self.others = uid, raw, others
        self.kind = get_type(raw["type"])
        self.is_first_fault = False
        self.fields["title"].widget.attrs["placeholder"] = str(self.kind.title)
        for name, setting in settings_of(self.kind).items():
            self.fields[f"set-{name}"] = SettingField(setting, raw.get(f"set-{name}"))
        self._offer_conditions()

    def _offer_conditions(self) -> None:
        offered = [each for each in self.others if each.is_earlier or each.uid == self.raw.get("after")]
        after: Any = self.fields["after"]
        after.choices = [
            ("", _("Always")),
            *((each.uid, _("Only after an answer to “%(question)s”") % {"question": each.label}) for each in offered),
        ]
        marks: Any = self.fields["after_values"]
        marks.required = bool(self.raw.get("after"))
        marks.choices = [mark for each in offered if each.uid == self.raw.get("after") for mark in each.marks]

    @property
    def setting_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("set-")]

    @property
    def faults(self) -> list[Fault]:
        """Everything that keeps this question from being saved, each with where on the page it is."""
        return [
            Fault(self._anchor(name), "" if name == NON_FIELD_ERRORS else str(self.fields[name].label), str(text))
            for name in [NON_FIELD_ERRORS, *self.fields]
            for text in self.errors.get(name, [])
        ]

    def draw_attention(self) -> None:
        """The page opens at the first fault of this question."""
        name = next(name for name in [NON_FIELD_ERRORS, *self.fields] if name in self.errors)
        if name == NON_FIELD_ERRORS or self._anchor(name) == self.anchor:
            self.is_first_fault = True
        else:
            self.fields[name].widget.attrs["autofocus"] = True

    @property
    def anchor(self) -> str:
        return f"edit-{self.uid}"

    def _anchor(self, name: str) -> str:
        """The id of the input, or of the question where the fault is in none or in one of several."""
        return (name != NON_FIELD_ERRORS and self[name].id_for_label) or self.anchor

    @property
    def heading(self) -> str:
        return self.raw.get("title") or str(self.kind.title)

    def clean(self) -> Raw:
        cleaned: Raw = super().clean() or {}
        after = next((each for each in self.others if each.uid == cleaned.get("after")), None)
        if after and not after.is_earlier:
            self.add_error("after", _("“%(question)s” must come before this question.") % {"question": after.label})
        if not any(name.startswith("set-") for name in self.errors):
            try:
                cleaned["settings"] = self.kind.check_settings(self._settings(cleaned))
            except InvalidSettings as invalid:
                self.add_error(f"set-{invalid.setting}" if invalid.setting else None, invalid.words or str(invalid))
        return cleaned

    def question(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Of a valid form, as drafts hold it; `names` of the questions by uid."""
        found = self.cleaned_data
        after = names.get(found["after"])
        return {
            "name": found["name"],
            "type": self.raw["type"],
            "title": clean_text(found["title"]),
            "required": found["required"],
            "settings": found["settings"],
            "condition": {"question": after, "values": found["after_values"]} if after else None,
            "ask_probability": found["share"],
        }

    def _settings(self, cleaned: Raw) -> dict[str, Any]:
        return {name: cleaned[f"set-{name}"] for name in settings_of(self.kind) if f"set-{name}" in cleaned}
