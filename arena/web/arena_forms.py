"""What visitors send to start a battle, and what admins set for an arena."""

from typing import Any, ClassVar

from django import forms
from django.core.validators import MinValueValidator
from django.utils.translation import gettext_lazy as _

from annotation.policies.drafts import CONTESTANTS_IN_ARENAS
from arena.forms import PromptForm
from arena.models import Arena
from arena.policies import HEAVIEST
from inference_workers.models import LanguageModel


class StartForm(PromptForm):
    """With the version of the text about data use that was shown beside the button."""

    agreed = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class NewArenaForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"})
    )
    contestants = forms.TypedChoiceField(
        label=_("Hidden models in a battle"),
        choices=[(count, str(count)) for count in range(CONTESTANTS_IN_ARENAS[0], CONTESTANTS_IN_ARENAS[1] + 1)],
        coerce=int,
        initial=CONTESTANTS_IN_ARENAS[0],
        help_text=_("Two are compared; three or four are put in order. It can be changed until the launch."),
    )
    lead = forms.CharField(
        label=_("What it is about, in one sentence"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )


class ArenaForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an arena's admins decide beside its campaign's pages; nothing is saved from here."""

    examples = LinesField(
        label=_("Example prompts, one a line"), required=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"})
    )

    class Meta:
        model = Arena
        fields: ClassVar = [
            *("lead", "look", "is_listed", "position", "is_default", "enters_all", "system_prompt", "examples"),
            *("max_prompt_chars", "max_turns", "max_regenerations", "battles_per_day", "max_waiting"),
        ]
        numbers = ("position", "max_prompt_chars", "max_turns", "max_regenerations", "battles_per_day", "max_waiting")
        widgets: ClassVar = {
            **{name: forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}) for name in numbers},
            "lead": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "system_prompt": forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        }
        labels: ClassVar = {"is_default": _("At the site’s first page")}
        help_texts: ClassVar = {
            "system_prompt": _(
                "The first message of every battle, the same for both models. It is kept with the prompt."
            ),
            "enters_all": _("Each enters by itself on its first chance; otherwise only those that you enter."),
            "max_regenerations": _("At most 10; 0 offers it to nobody."),
            "is_listed": _("Otherwise only who has the address finds it."),
        }

    def __init__(self, arena: Arena, data: Any = None) -> None:
        super().__init__(data, instance=arena)
        if arena.is_default:
            self.fields["is_default"].disabled = True
            self.fields["is_default"].help_text = _("Put another arena there, and this one makes room.")
        for name in ("battles_per_day", "max_waiting"):
            self.fields[name].validators.append(MinValueValidator(1))

    def validate_constraints(self) -> None:
        """Which arena stands first is settled when it is saved."""


class EnterForm(forms.Form):
    """A model that takes part from now on."""

    model = forms.ModelChoiceField(queryset=LanguageModel.objects.none(), label=_("Language model"))

    def __init__(self, outside: Any, data: Any = None) -> None:
        super().__init__(data)
        self.fields["model"].queryset = outside  # type: ignore[attr-defined]


class EntryStateForm(forms.Form):
    to = forms.CharField(max_length=8)
    reason = forms.CharField(
        label=_("Why"), max_length=300, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class WeightForm(forms.Form):
    """How often a model is drawn beside the others."""

    weight = forms.FloatField(label=_("Weight"), min_value=0.001, max_value=HEAVIEST)
    boost = forms.FloatField(label=_("Boost, times"), min_value=1, max_value=HEAVIEST)
    hours = forms.IntegerField(label=_("Boosted for, in hours"), required=False, min_value=1, max_value=24 * 90)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if (cleaned.get("boost") or 1) > 1 and not cleaned.get("hours") and "hours" not in self.errors:
            self.add_error("hours", _("Say when the boost ends."))
        return cleaned


def first_error(form: forms.Form) -> str:
    """All that is wrong with a small form, in one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
