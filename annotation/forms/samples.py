"""How often each language model is asked for each prompt, under which settings, and how that becomes items."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.enums import SampleDesign
from annotation.policies.samples import MOST_SAMPLES, MOST_SETTINGS, Samples, Settings
from inference_workers.policies.sampling import LONGEST_STOP, MOST_STOPS, MOST_TOKENS

LARGEST_SEED = 2**31 - 1


class SamplesForm(forms.Form):
    samples = forms.IntegerField(
        label=_("Samples of each model"),
        min_value=1,
        max_value=MOST_SAMPLES,
        initial=1,
        help_text=_("For each prompt, and for each of the settings below."),
    )
    design = forms.ChoiceField(
        label=_("How samples become items"),
        choices=SampleDesign.choices,
        initial=SampleDesign.MATCHED,
        widget=forms.RadioSelect,
    )
    own = forms.BooleanField(
        label=_("Each of the settings is a contestant of its own"),
        required=False,
        help_text=_("Boards then rank a model once under each of them. Otherwise all count for the model."),
    )

    def clean_design(self) -> SampleDesign:
        return SampleDesign(self.cleaned_data["design"])


class SettingsForm(forms.Form):
    """One row; one without anything in it counts for nothing."""

    name = forms.CharField(
        label=_("Name"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    temperature = forms.FloatField(label=_("Temperature"), min_value=0, max_value=2, required=False)
    top_p = forms.FloatField(label=_("Top p"), min_value=0.01, max_value=1, required=False)
    max_tokens = forms.IntegerField(label=_("Most tokens"), min_value=1, max_value=MOST_TOKENS, required=False)
    seed_base = forms.IntegerField(label=_("First seed"), min_value=0, max_value=LARGEST_SEED, required=False)
    stop = forms.CharField(
        label=_("Ends before"),
        required=False,
        strip=False,
        max_length=MOST_STOPS * (LONGEST_STOP + 2),
        widget=forms.Textarea(attrs={"rows": 1, "spellcheck": "false"}),
    )

    def clean_stop(self) -> tuple[str, ...]:
        stops = tuple(line for line in self.cleaned_data["stop"].splitlines() if line)
        if len(stops) > MOST_STOPS or any(len(stop) > LONGEST_STOP for stop in stops):
            raise forms.ValidationError(
                _("At most %(count)d lines of at most %(length)d characters."),
                params={"count": MOST_STOPS, "length": LONGEST_STOP},
            )
        return stops

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.has_changed() and not cleaned.get("name") and "name" not in self.errors:
            self.add_error("name", _("Name these settings."))
        return cleaned

    @property
    def said(self) -> Settings | None:
        return Settings(**self.cleaned_data) if self.cleaned_data.get("name") else None


def settings_in_words(kept: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a generation keeps of one of its settings, as the form calls it; empty where models answer as they are."""
    fields = SettingsForm.base_fields
    told = {**kept, "stop": ", ".join(f"“{stop}”" for stop in kept["stop"])} if kept.get("stop") else kept
    return [(str(field.label), told[name]) for name, field in fields.items() if name != "name" and name in told]


class SampleForms:
    """The form of the samples with its rows of settings."""

    def __init__(self, given: dict[str, Any], samples: Samples | None = None) -> None:
        data = given.get("data")
        self.whole = SamplesForm(data, initial=_whole(samples))
        self.rows = [
            SettingsForm(data, prefix=f"settings-{place}", initial=initial)
            for place, initial in enumerate(_rows(samples))
        ]

    def is_valid(self) -> bool:
        return self.whole.is_bound and not self.has_errors

    @property
    def has_errors(self) -> bool:
        return any(form.errors for form in (self.whole, *self.rows))

    @property
    def is_open(self) -> bool:
        """Whether anything of the settings is said."""
        return any(form["name"].value() or form.errors for form in self.rows)

    @property
    def said(self) -> Samples:
        settings = tuple(row.said for row in self.rows if row.said is not None)
        return Samples(settings=settings, **self.whole.cleaned_data)


def _whole(samples: Samples | None) -> dict[str, Any]:
    if samples is None:
        return {}
    return {"samples": samples.samples, "design": samples.design, "own": samples.own}


def _rows(samples: Samples | None) -> Sequence[dict[str, Any]]:
    said = [{**vars(each), "stop": "\n".join(each.stop)} for each in samples.settings] if samples else []
    return [*said, *({} for _place in range(MOST_SETTINGS - len(said)))]
