"""What admins say when language models shall write responses, and when gold shall be made of them."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.enums import GoldWay
from annotation.forms.prompts import PromptsForm
from annotation.queries.gold import ACCEPTABLE, ANY, BEST
from annotation.use_cases.request_gold import MOST_GOLD
from inference_workers.models import LanguageModel


class GenerateForm(PromptsForm):
    """Prompts come from one of three places. `kept` names a file that was sent before, `seen` what was reckoned."""

    takes = _("CSV, TSV, JSON lines or Parquet; at most 100,000 prompts. Chat messages as JSON are prompts too.")
    column = forms.CharField(
        label=_("Column of the prompts"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Left empty, it is the one that is called prompt, instruction, question or the like."),
    )
    stored = forms.BooleanField(label=_("Or the prompts that the campaign has already"), required=False)
    models = forms.TypedMultipleChoiceField(
        label=_("Language models"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose the language models that write.")},
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    kept = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, models: Sequence[LanguageModel], **given: Any) -> None:
        super().__init__(**given)
        self.fields["models"].choices = [(str(model.pk), model.name) for model in models]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file = bool(cleaned.get("file") or cleaned.get("kept")) and "file" not in self.errors
        given = [bool((cleaned.get("lines") or "").strip()), file, bool(cleaned.get("stored"))]
        if not self.errors and sum(given) != 1:
            none = _("Say what is asked: type prompts, choose a file, or take those that the campaign has.")
            several = _("Take prompts from one place: from the lines, from the file, or from the campaign.")
            self.add_error(None, several if any(given) else none)
        return cleaned


class ChangeForm(forms.Form):
    """What becomes of a generation; with an item, what becomes of that item's responses."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("pause", "resume", "cancel", "retry")])
    item = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class GoldForm(forms.Form):
    count = forms.IntegerField(
        label=_("Gold items"), min_value=1, max_value=MOST_GOLD, initial=20, help_text=_("At most 500 at once.")
    )
    ways = forms.MultipleChoiceField(
        label=_("How the copies are made worse"),
        choices=GoldWay.choices,
        initial=[GoldWay.TRUNCATED, GoldWay.WORDS, GoldWay.OTHER_PROMPT],
        widget=forms.CheckboxSelectMultiple,
    )
    origin = forms.ChoiceField(
        label=_("Of which responses"),
        choices=[
            (BEST, _("Those that most people called the best of their item")),
            (ACCEPTABLE, _("Those that most people called acceptable")),
            (ANY, _("Any, judged or not")),
        ],
        initial=ANY,
        widget=forms.RadioSelect,
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class CheckForm(forms.Form):
    """One proposal or several, and what becomes of them."""

    items = forms.TypedMultipleChoiceField(coerce=int)
    verdict = forms.ChoiceField(choices=[("accept", "accept"), ("discard", "discard")])

    def __init__(self, proposed: Sequence[int], **given: Any) -> None:
        super().__init__(**given)
        self.fields["items"].choices = [(str(pk), str(pk)) for pk in proposed]  # type: ignore[attr-defined]
