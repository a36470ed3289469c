from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inference_workers.models import LanguageModel


class AlikeForm(forms.Form):
    """Which vectors, and how close is alike."""

    model = forms.TypedChoiceField(label=_("Embedding model"), coerce=int)
    threshold = forms.FloatField(
        label=_("Least cosine"),
        min_value=0.5,
        max_value=1.0,
        initial=0.95,
        help_text=_("1 is the same direction. What is alike for people lies higher or lower by the model."),
    )

    def __init__(self, models: Sequence[LanguageModel], data: Any = None) -> None:
        first = models[0].pk if models else ""
        super().__init__(data, initial={"model": first})
        choices: Any = self.fields["model"]
        choices.choices = [(model.pk, model.name) for model in models]
