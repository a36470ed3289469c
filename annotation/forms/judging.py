from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.enums import GenerationState, JudgedItems
from inference_workers.models import LanguageModel

MOST_ITEMS = 100_000


class JudgingForm(forms.Form):
    """Which models judge, and what. `seen` says which figures the admin has read."""

    models = forms.TypedMultipleChoiceField(
        label=_("Judges"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one model.")},
    )
    which = forms.ChoiceField(label=_("Items"), choices=JudgedItems.choices, initial=JudgedItems.JUDGED)
    count = forms.IntegerField(
        label=_("How many, where they are drawn"), min_value=1, max_value=MOST_ITEMS, required=False, initial=200
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, models: Sequence[LanguageModel], data: Any = None, **given: Any) -> None:
        super().__init__(data, **given)
        choices: Any = self.fields["models"]
        choices.choices = [(model.pk, model.name) for model in models]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("which") == JudgedItems.SAMPLE and not cleaned.get("count") and "count" not in self.errors:
            self.add_error("count", _("Say how many items are drawn."))
        return cleaned


class ChangeJudgingForm(forms.Form):
    to = forms.ChoiceField(
        choices=[
            (state, state) for state in (GenerationState.PAUSED, GenerationState.RUNNING, GenerationState.CANCELLED)
        ]
    )
