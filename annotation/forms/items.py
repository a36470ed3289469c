"""What admins say about items: which file, what its columns mean, which to list, why one goes."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.enums import ItemPurpose, ItemState
from annotation.imports.item_campaign import columns_by_meaning, meanings_by_column, wrong_columns
from annotation.imports.item_columns import (
    FILES,
    FLAG,
    MODELS,
    PROMPT_FILE,
    RESPONSES,
    ItemColumns,
    guess_meanings,
)
from annotation.imports.table_file import EXTENSIONS

LONGEST_PASTED = 1_000_000
MEANINGS = [
    ("", _("Not read")),
    ("prompt", _("Prompt")),
    (PROMPT_FILE, _("File of the prompt")),
    ("system", _("System message")),
    ("prompt_id", _("Prompt id")),
    *((name, _("Response %(number)d") % {"number": number}) for number, name in enumerate(RESPONSES, start=1)),
    *((name, _("File of response %(number)d") % {"number": number}) for number, name in enumerate(FILES, start=1)),
    *((name, _("Model of response %(number)d") % {"number": number}) for number, name in enumerate(MODELS, start=1)),
    ("category", _("Category")),
    ("language", _("Language")),
    ("flags", _("Flags, a list")),
    (FLAG, _("A flag, true or false")),
    ("warnings", _("Content warnings, a list")),
    ("purpose", _("Purpose")),
    ("expected", _("Expected answer")),
    ("explanation", _("Explanation")),
]


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        max_length=1000,
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(EXTENSIONS)}),
        help_text=_("CSV, TSV, JSON lines or Parquet. What its columns mean is asked next; nothing is imported yet."),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class PasteForm(forms.Form):
    text = forms.CharField(
        label=_("Rows"),
        max_length=LONGEST_PASTED,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false", "dir": "auto"}),
        help_text=_("With a header: cells copied from a table, CSV, or one JSON object per line."),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class FilterForm(forms.Form):
    """What cannot be meant is left out rather than refused."""

    q = forms.CharField(label=_("Words of the prompt"), required=False, max_length=200)
    purpose = forms.ChoiceField(label=_("Purpose"), required=False, choices=[("", _("Any")), *ItemPurpose.choices])
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any")), *ItemState.choices])

    @property
    def chosen(self) -> dict[str, str]:
        cleaned = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        names = {"text": "q", "purpose": "purpose", "state": "state"}
        return {name: cleaned.get(field, "") for name, field in names.items()}


class MappingForm(forms.Form):
    """One choice for each column of a file; at first what is guessed, or what was said before."""

    default_purpose = forms.ChoiceField(
        label=_("Items that name no purpose are for"),
        choices=ItemPurpose.choices,
        help_text=_(
            "Anchors put people’s amounts on one scale: about twelve, one of them with two identical responses and one"
            " with a degraded one. Everybody judges all of them."
        ),
    )

    def __init__(
        self, samples: dict[str, list[str]], stored: dict[str, str], *, responses: int, data: Any = None
    ) -> None:
        super().__init__(data)
        self.samples = samples
        self._responses = responses
        self._columns = list(samples)
        before = ItemColumns.from_json(stored)
        meanings = meanings_by_column(before) if stored else guess_meanings(self._columns)
        self.fields["default_purpose"].initial = before.default_purpose
        for number, column in enumerate(self._columns):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=column, choices=MEANINGS, required=False, initial=meanings.get(column, "")
            )
        self.guess = columns_by_meaning({name: meaning for name, meaning in meanings.items() if meaning}, "work")

    @property
    def rows(self) -> list[tuple[forms.BoundField, str, list[str]]]:
        """A row of the table: the choice, the column, what it holds."""
        return [(self[f"column_{number}"], name, self.samples[name]) for number, name in enumerate(self._columns)]

    @property
    def not_read(self) -> list[str]:
        read = self.chosen.read
        return [name for name in self._columns if name not in read]

    @property
    def chosen(self) -> ItemColumns:
        """Of a form that was sent, what it says; else what is proposed."""
        if not self.is_bound:
            return ItemColumns(self.guess.by_meaning, self.fields["default_purpose"].initial)
        said = {name: self.cleaned_data.get(f"column_{number}", "") for number, name in enumerate(self._columns)}
        meanings = {name: meaning for name, meaning in said.items() if meaning}
        return columns_by_meaning(meanings, self.cleaned_data.get("default_purpose") or ItemPurpose.WORK.value)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        said = [cleaned.get(f"column_{number}", "") for number in range(len(self._columns))]
        labels = dict(MEANINGS)
        for meaning in sorted({name for name in said if name and name != FLAG and said.count(name) > 1}):
            self.add_error(None, _("Two columns are said to be: %(meaning)s") % {"meaning": labels[meaning]})
        for problem in self.problems():
            self.add_error(None, problem)
        return cleaned

    def problems(self) -> list[str]:
        """Why no file could be read with these columns."""
        if not self.samples:
            return [gettext("This file is being read already, or has been, or is not there any more.")]
        return wrong_columns(self.chosen, known=self.samples, responses=self._responses)
