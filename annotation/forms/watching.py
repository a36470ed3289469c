from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.questions import Asked, get_type


class RationalesForm(forms.Form):
    """Which words are looked for. What cannot be meant is left out rather than refused."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200, widget=forms.TextInput(attrs={"dir": "auto"}))
    annotator = forms.CharField(
        label=_("Annotator"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The pseudonym, or how it begins."),
    )
    question = forms.ChoiceField(label=_("Question"), required=False)

    def __init__(self, *args: Any, questions: Sequence[Asked], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["question"]
        assert isinstance(field, forms.ChoiceField)
        titles = [(each.name, str(each.title or get_type(each.type).title)) for each in questions]
        field.choices = [("", _("Every question")), *titles]

    @property
    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "").strip() for name in ("q", "annotator", "question")}
