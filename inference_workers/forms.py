"""Forms of the admin: what they hold is written by use cases."""

import json
import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from foundation.outbound import OutboundRefused, check_address
from inference_workers.enums import Backend, Output, Task, TokensField
from inference_workers.models import Endpoint, LanguageModel, LanguageModelRevision
from inference_workers.policies.folders import SMOLLM2, ModelNotAllowed, model_folder, sorts_texts
from inference_workers.use_cases.edit_endpoint import EndpointSettings
from inference_workers.use_cases.edit_language_model import Card, Recipe, refuse_card_beside, refuse_other_output

PRICE_FIELDS = ["price_read", "price_written", "price_file", "price_second", "longest_seconds"]
CARD_FIELDS = [
    "name",
    "slug",
    "aliases",
    "organisation",
    "licence",
    "task",
    "visibility",
    "weight",
    *PRICE_FIELDS,
    "keeps_logprobs",
    "takes_images",
]
RECIPE_FIELDS = [
    "endpoint",
    "provider_model",
    "output",
    "system_prompt",
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "max_tokens",
    "accepts_cut",
    "takes_schema",
    "stop",
]


LIMIT_FIELDS = ["capacity", "requests_per_minute", "tokens_per_minute", "daily_budget", "timeout_seconds"]
DIALECT_FIELDS = ["ask_usage", "max_tokens_field", "extra_body"]
ENDPOINT_FIELDS = ["name", "backend", "base_url", *LIMIT_FIELDS, *DIALECT_FIELDS]
# What a request says by itself: who sends it along would ask something else than what is kept.
OWN_WORDS = frozenset(
    {"model", "messages", "stream", "stream_options", "temperature", "top_p", "seed", "stop", "n", *TokensField.values}
)


# How a text that holds a line break stands on one line.
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
MEANINGS = {escape: text for text, escape in ESCAPES.items()}


class LinesField(forms.CharField):
    """A list of texts, one on each line; with `escapes` a text may hold line breaks, written as \\n."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60})

    def __init__(self, *, escapes: bool = False, **given: Any) -> None:
        super().__init__(required=False, strip=False, **given)
        self.escapes = escapes

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join("".join(ESCAPES.get(each, each) for each in text) if self.escapes else text for text in value)

    def to_python(self, value: Any) -> Any:
        lines = super().to_python(value) or ""
        kept = [line for line in lines.replace("\r\n", "\n").split("\n") if (line if self.escapes else line.strip())]
        if not self.escapes:
            return kept
        return [re.sub(r"\\[\\nrt]", lambda found: MEANINGS[found[0]], line) for line in kept]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class ObjectField(forms.JSONField):
    """A JSON object, however deep the text that is sent for one."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 60})

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise ValidationError(_("Enter a JSON object of at most 2,000 characters.")) from None

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return initial


class RecipeForm(forms.ModelForm):  # type: ignore[type-arg]
    """The fields of a revision with their own labels and limits; used as a part of LanguageModelForm."""

    stop = LinesField(
        escapes=True,
        label=_("Stop texts"),
        help_text=_("One on each line, \\n for a line break in it. The answer ends before the first of them."),
    )

    class Meta:
        model = LanguageModelRevision
        fields = RECIPE_FIELDS
        labels = {
            "endpoint": _("Endpoint"),
            "provider_model": _("Model at the endpoint"),
            "system_prompt": _("System prompt"),
            "temperature": _("Temperature"),
            "top_p": _("Top p"),
            "top_k": _("Top k"),
            "repetition_penalty": _("Repetition penalty"),
            "max_tokens": _("Most tokens of an answer"),
            "accepts_cut": _("Show answers that this limit cut off"),
            "takes_schema": _("Takes a JSON schema"),
        }
        help_texts = {
            "provider_model": _(
                "The name the endpoint knows. In this machine's own worker: smollm2, a folder in models/ of the data"
                " directory, or an absolute folder below one of MODEL_FOLDERS."
            ),
            "output": _(
                "Files come from images/generations, audio/speech or videos of the address, for campaigns and for"
                " arenas of that kind."
            ),
            "accepts_cut": _("Otherwise such an answer is asked for once more, and the second one voids the battle."),
            "takes_schema": _(
                "As a model judge it is told the form of its answer by response_format too. It can say nothing before"
                " that answer then, and servers that do not know the word refuse it."
            ),
            "top_k": _("0 switches it off."),
            "repetition_penalty": _("1 switches it off."),
        }
        widgets = {"system_prompt": forms.Textarea(attrs={"rows": 4, "cols": 80})}


class LanguageModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A language model as one ordinary row: its card, and its current revision."""

    # What does not keep it from being saved, and should not be found out by a visitor.
    warning = ""

    aliases = LinesField(
        label=_("Other names"),
        help_text=_("One on each line. An answer that says one of them is withheld, as is one with its name."),
    )

    class Meta:
        model = LanguageModel
        fields = CARD_FIELDS
        help_texts = dict.fromkeys(
            ["price_read", "price_written"],
            _("In US dollars. What a campaign’s responses will cost is reckoned from it; leave it empty if unknown."),
        ) | {
            "price_file": _(
                "In US dollars, of a model that answers with images, sounds or films: for each of them. 0 where only"
                " its seconds or the words that ask for it cost something; empty if unknown."
            ),
            "price_second": _("In US dollars, besides, for each second that a sound or a film plays."),
            "longest_seconds": _(
                "What a budget reckons with until a file is there, where its seconds are paid. No file is cut by it."
            ),
        }

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        current = self.instance.current if self.instance.pk else None
        part = RecipeForm(instance=current)
        for name in RECIPE_FIELDS:
            self.fields[name] = part.fields[name]
            # A model's validators run on its own instance, and this form's instance is the language model.
            self.fields[name].validators += LanguageModelRevision._meta.get_field(name).validators  # type: ignore[union-attr]
            if name in part.initial:
                self.initial.setdefault(name, part.initial[name])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        endpoint, name = cleaned.get("endpoint"), cleaned.get("provider_model")
        in_process = endpoint is not None and endpoint.backend == Backend.TRANSFORMERS
        if in_process and cleaned.get("output", Output.TEXT) != Output.TEXT:
            self.add_error("output", _("In the worker’s own process models answer with text alone."))
        if endpoint is not None and endpoint.backend == Backend.OPENAI and cleaned.get("task") == Task.REWARD:
            words = _(
                "Rewards have no settled address among servers: let the reward model run in the worker’s own process."
            )
            self.add_error("task", words)
        self._refuse_card(cleaned)
        if endpoint and name and in_process:
            self._check_folder(name, cleaned.get("task"))
        return cleaned

    def _check_folder(self, name: str, task: str | None) -> None:
        if name == SMOLLM2:
            if task == Task.CLASSES:
                self.add_error("provider_model", _("smollm2 writes; it has no head that sorts texts."))
            return
        try:
            folder = model_folder(name, models=settings.DATA_DIR / "models", allowed=settings.MODEL_FOLDERS)
        except ModelNotAllowed as error:
            self.add_error("provider_model", str(error))
            return
        # The workers may have folders that this process does not see; their test says what is wrong with those.
        if not folder.is_dir():
            self.warning = _("This process sees no folder %(folder)s. Unless the workers do, no answer will come.") % {
                "folder": folder
            }
        if task == Task.CLASSES and folder.is_dir() and not sorts_texts(folder):
            self.add_error("provider_model", _("This model has no head that sorts texts."))

    def _refuse_card(self, cleaned: dict[str, Any]) -> None:
        """By the rules of the use case, beside the field, as soon as the rest of it can be asked."""
        if cleaned.get("endpoint") and not self.errors:
            try:
                refuse_card_beside(self.recipe, self.card)
                if self.instance.pk:
                    refuse_other_output(self.instance, self.recipe)
            except ValidationError as refused:
                self.add_error(None, refused)

    @property
    def card(self) -> Card:
        return Card(**{name: self.cleaned_data[name] for name in CARD_FIELDS})

    @property
    def recipe(self) -> Recipe:
        return Recipe(**{name: self.cleaned_data[name] for name in RECIPE_FIELDS})


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """The key goes in and never comes out."""

    base_url = forms.URLField(
        label=_("Address"),
        required=False,
        assume_scheme="http",
        help_text=_("For OpenAI-compatible endpoints; most end in /v1."),
    )
    api_key = forms.CharField(
        label=_("Key"),
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text=_("Sent to this address only. Stored encrypted and never shown again; leave empty to keep it."),
    )
    remove_key = forms.BooleanField(label=_("Remove the key"), required=False)
    extra_body = ObjectField(
        label=_("Sent along"),
        required=False,
        help_text=_("A JSON object that every request holds besides. A change makes its models’ next revisions."),
    )

    class Meta:
        model = Endpoint
        fields = ENDPOINT_FIELDS
        help_texts = {
            "capacity": _("Over all workers together, as are the limits below. Leave those empty for none."),
            "requests_per_minute": _("No minute holds more; up to a sixth of them at once."),
            "tokens_per_minute": _("Read and written. An answer counts with its length limit until it has ended."),
            "daily_budget": _(
                "In US dollars a day of UTC, by the models’ prices. It holds campaigns’ responses back, never people."
            ),
            "ask_usage": _("Off for servers that refuse stream_options. Costs are then guessed from characters."),
            "max_tokens_field": _("Some servers take max_completion_tokens alone."),
        }

    def clean_extra_body(self) -> dict[str, Any]:
        given = self.cleaned_data["extra_body"] or {}
        try:
            fits = isinstance(given, dict) and len(json.dumps(given, allow_nan=False)) <= 2000
        except (ValueError, RecursionError):
            fits = False
        if not fits:
            raise ValidationError(_("Enter a JSON object of at most 2,000 characters."))
        if taken := sorted(OWN_WORDS & set(given)):
            raise ValidationError(_("Every request has its own %(words)s.") % {"words": ", ".join(taken)})
        return given

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("backend") != Backend.OPENAI:
            cleaned["base_url"] = ""
            return cleaned
        if not cleaned.get("base_url"):
            if "base_url" not in self.errors:
                self.add_error("base_url", _("An OpenAI-compatible endpoint needs an address."))
            return cleaned
        try:
            origin = check_address(cleaned["base_url"])
        except OutboundRefused as error:
            raise ValidationError({"base_url": str(error)}) from error
        if self.instance.sealed_key and self.key is None and check_address(self.initial["base_url"]) != origin:
            self.add_error("api_key", _("The key belongs to the earlier address. Enter it again."))
        return cleaned

    @property
    def key(self) -> str | None:
        """None keeps the key that is there."""
        if self.cleaned_data.get("remove_key") or self.cleaned_data.get("backend") != Backend.OPENAI:
            return ""
        return self.cleaned_data.get("api_key") or None

    @property
    def endpoint_settings(self) -> EndpointSettings:
        return EndpointSettings(**{name: self.cleaned_data[name] for name in ENDPOINT_FIELDS}, key=self.key)
