"""What an admin chooses a slice by: one field of the form for each of the table of slices."""

from datetime import date
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from annotation.boards.slices import FIELDS

LONGEST = 200
DAYS = ("from", "to")
# What a field that is left empty means, where it is not all.
UNCHOSEN = {"ties": _("Counted"), "excluded": _("Left out")}


class SliceForm(forms.Form):
    """What is left empty chooses nothing; nothing is saved from here."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name in FIELDS:
            self.fields[name] = _field(name)

    def clean_flags(self) -> list[str]:
        """In one order, so that one slice is one however it is written."""
        return sorted({flag for each in self.cleaned_data["flags"].split(",") if (flag := each.strip())})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        begin, end = (cleaned.get(name) for name in DAYS)
        if begin and end and begin >= end:
            self.add_error("to", _("This is not after the day from which judgments count."))
        if not self.errors and not self.slice:
            self.add_error(None, _("Choose at least one: without any it is the whole board."))
        return cleaned

    @property
    def slice(self) -> dict[str, Any]:
        """As boards store it."""
        chosen = {name: self.cleaned_data[name] for name in FIELDS if self.cleaned_data.get(name)}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in chosen.items()}


def _field(name: str) -> forms.Field:
    field = FIELDS[name]
    label = str(field.title)
    if field.values:
        choices = [
            ("", UNCHOSEN.get(name, _("All"))),
            *((value, capfirst(field.words(value))) for value in field.values),
        ]
        return forms.ChoiceField(label=label, required=False, choices=choices)
    if name in DAYS:
        day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        said = {"from": _("A UTC day; the first that counts."), "to": _("A UTC day; the first that is left out.")}
        return forms.DateField(label=label, required=False, widget=day, help_text=said[name])
    attrs = {"autocomplete": "off", "dir": "auto", "list": f"known-{name}"}
    if name == "flags":
        return forms.CharField(
            label=label,
            required=False,
            max_length=LONGEST,
            widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            help_text=_("With commas between them; prompts have all of them."),
        )
    return forms.CharField(label=label, required=False, max_length=LONGEST, widget=forms.TextInput(attrs=attrs))
