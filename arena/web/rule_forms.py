"""What admins write about house rules."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from arena.enums import FindingOutcome, OnSilence
from arena.models import HouseRule, Moderator, PromptClassifier
from arena.policies import BadLimits, read_limits, written_limits
from foundation.text import clean_text
from inference_workers.enums import Backend, RuleAction, RuleKind, Task
from inference_workers.models import LanguageModel
from inference_workers.policies.personal_data import CHECKS
from inference_workers.queries.measures import measuring_models


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new rule; nothing is saved from here."""

    everywhere = forms.BooleanField(label=_("In every arena of this site"), required=False)

    class Meta:
        model = HouseRule
        fields: ClassVar = ["name", "action", "kind", "pattern", "says", "on_visitors", "on_models"]
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "says": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "pattern": forms.Textarea(attrs={"rows": 4, "dir": "auto", "spellcheck": "false"}),
        }
        help_texts: ClassVar = {
            "pattern": _(
                "Small and capital letters, accents and look-alike letters make no difference. Expressions look neither"
                " back nor ahead and remember nothing. Of checks that are built in write the name: card, email, phone."
            ),
            "says": _("Empty: its name."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == RuleKind.CHECK and (cleaned.get("pattern") or "").strip() not in CHECKS:
            self.add_error("pattern", _("Write card, email or phone."))
        to_visitors = cleaned.get("action") == RuleAction.SUPPORT
        if not cleaned.get("on_visitors") and (to_visitors or not cleaned.get("on_models")):
            self.add_error("on_visitors", _("Say whose texts it is for."))
        return cleaned


class SwitchForm(forms.Form):
    to = forms.ChoiceField(choices=[("on", "on"), ("off", "off")])


class TryForm(forms.Form):
    text = forms.CharField(
        label=_("A text to try"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"})
    )


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(choices=FindingOutcome)


def sorting_models() -> QuerySet[LanguageModel]:
    """Those that can be chosen."""
    return LanguageModel.objects.filter(pk__in=[each.pk for each in measuring_models(Task.CLASSES)])


class ClassifierForm(forms.Form):
    """Which language model labels prompts beside the rules."""

    language_model = forms.ModelChoiceField(
        label=_("Language model"),
        queryset=LanguageModel.objects.none(),
        required=False,
        empty_label=_("None: the rules alone"),
        help_text=_(
            "One that sorts texts, which an operator adds under Models: a folder that the workers run, or an address."
            " Name its classes as the rules do (code, mathematics, creative, …) to compare them."
        ),
    )
    limit = forms.FloatField(
        label=_("Least score of a class that becomes a label"),
        min_value=0.01,
        max_value=1,
        initial=0.5,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, classifier: PromptClassifier | None, data: Any = None) -> None:
        initial = {}
        if classifier is not None:
            initial = {"language_model": classifier.language_model_id, "limit": classifier.limit}
        super().__init__(data, initial=initial)
        self.fields["language_model"].queryset = sorting_models()  # type: ignore[attr-defined]


# Of a moderator what the form shows as it is.
KEPT = ("language_model", "wait_seconds", "takes_images", "on_silence")


class ModeratorForm(forms.Form):
    """Which language model is shown what is written here, and what becomes of what it says."""

    language_model = forms.ModelChoiceField(
        label=_("Language model"),
        queryset=LanguageModel.objects.none(),
        help_text=_(
            "An operator adds one under Models, as one that sorts texts: an address with /moderations, or a folder."
        ),
    )
    limits = forms.CharField(
        label=_("Classes that stop a text, with their limits"),
        max_length=5000,
        initial="* = 0.5",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_(
            "One a line, as violence = 0.7: a text whose score reaches the limit is stopped. * stands for every class"
            " that is not named, and never for a class that stops nothing, as harmless = never."
        ),
    )
    wait_seconds = forms.IntegerField(
        label=_("Seconds that a text waits for it"),
        min_value=1,
        max_value=20,
        initial=5,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    takes_images = forms.BooleanField(
        label=_("Show it pictures too"),
        required=False,
        help_text=_(
            "Those that visitors add and answers that are images, as image_url: only for an address whose model takes"
            " pictures, as omni-moderation does. Sounds and films are never shown to it."
        ),
    )
    on_silence = forms.ChoiceField(
        label=_("When it does not answer in time"), choices=OnSilence, widget=forms.RadioSelect
    )

    def __init__(self, moderator: Moderator | None, data: Any = None) -> None:
        initial = {}
        if moderator is not None:
            initial = {name: getattr(moderator, name) for name in KEPT}
            initial["limits"] = written_limits(moderator.limits)
        super().__init__(data, initial=initial)
        self.fields["language_model"].queryset = sorting_models()  # type: ignore[attr-defined]

    def clean_limits(self) -> dict[str, float | None]:
        try:
            return read_limits(clean_text(self.cleaned_data["limits"]))
        except BadLimits as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        model = cleaned.get("language_model")
        if cleaned.get("takes_images") and model is not None and model.serves.endpoint.backend == Backend.TRANSFORMERS:
            self.add_error("takes_images", _("A folder that the workers run reads words alone."))
        return cleaned


class AppealDecisionForm(forms.Form):
    """What an admin decides about a visitor's appeal, with the words that they read."""

    decision = forms.ChoiceField(choices=[("grant", "grant"), ("refuse", "refuse")])
    answer = forms.CharField(label=_("Answer"), max_length=300)
