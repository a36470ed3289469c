"""What visitors send to start a battle, and what admins set for an arena."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.validators import MinValueValidator
from django.utils.translation import gettext_lazy as _

from annotation.forms.prompts import PromptsForm
from annotation.policies.drafts import CONTESTANTS_IN_ARENAS
from arena.enums import Mode
from arena.forms import PromptForm
from arena.models import Arena
from arena.policies import HEAVIEST
from inference_workers.enums import Output
from inference_workers.models import LanguageModel

# More models than any arena has are nobody's set.
MOST_NAMED = 500
SLUG = re.compile(r"[-\w]{0,120}", re.ASCII)


class SlugsField(forms.Field):
    """Slugs of models, as many as there are fields of the name; "" stands for none."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        given = [str(each) for each in value or []]
        if len(given) > MOST_NAMED or any(not SLUG.fullmatch(each) for each in given):
            raise forms.ValidationError(_("Choose models from the list."))
        return given


class SetForm(forms.Form):
    """The models of somebody's own set."""

    named = SlugsField(required=False)


class StartForm(PromptForm):
    """With the version of the text about data use that was shown beside the button, what was offered above it, and the
    models that the visitor named, by side.
    """

    named = SlugsField(required=False)
    agreed = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    offer = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)
    # What a flooded arena asked the browser for.
    work = forms.CharField(required=False, max_length=700, widget=forms.HiddenInput)


class AnyForm(forms.Form):
    """A prompt that is drawn; of a category, or of all."""

    key = forms.RegexField(r"^[\x21-\x7e]{1,64}$", widget=forms.HiddenInput)
    agreed = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    category = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    work = forms.CharField(required=False, max_length=700, widget=forms.HiddenInput)


class PoolForm(PromptsForm):
    """Prompts for an arena's pool, from one of two places, and what is said of those that do not say it themselves."""

    takes = _(
        "CSV, TSV, JSON lines or Parquet with a column “prompt”; “category”, “language” and “source” or “licence” are"
        " read where there are such columns."
    )
    category = forms.CharField(
        label=_("Category"), max_length=80, required=False, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    language = forms.RegexField(
        r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        label=_("Language, as a code such as en"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    source = forms.CharField(
        label=_("Where they are from, and under which licence"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = [bool((cleaned.get("lines") or "").strip()), bool(cleaned.get("file"))]
        if not self.errors and sum(given) != 1:
            several = _("Take prompts from one place: from the lines, or from the file.")
            self.add_error(None, several if any(given) else _("Type prompts, one on each line, or choose a file."))
        return cleaned


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
    output = forms.ChoiceField(
        label=_("What its models answer with"),
        choices=Output,
        initial=Output.TEXT,
        help_text=_(
            "Only models that answer with it take part. Battles of images, sounds and films have one turn. It stays"
            " from the first battle on."
        ),
    )
    lead = forms.CharField(
        label=_("What it is about, in one sentence"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )


class ArenaForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an arena's admins decide beside its campaign's pages; nothing is saved from here."""

    modes = forms.MultipleChoiceField(
        label=_("Who says which models meet"),
        choices=Mode.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "“Choose the models” shows the names from the start; “My models” draws blind from a set of the visitor’s."
            " Votes of both count on the visitor’s own board alone, never on the leaderboard."
        ),
    )
    examples = LinesField(
        label=_("Example prompts, one a line"), required=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"})
    )

    class Meta:
        model = Arena
        fields: ClassVar = [
            *("lead", "output", "look", "is_listed", "position", "is_default", "enters_all", "modes", "system_prompt"),
            *("examples", "max_prompt_chars", "max_turns", "max_regenerations", "battles_per_day", "max_waiting"),
            *("battles_per_network", "excluded_alarm"),
            *("pool_by_category", "newcomer_share", "newcomer_votes", "category_votes", "takes_images"),
            *("flood_per_minute", "work_bits"),
        ]
        numbers = (
            *("position", "max_prompt_chars", "max_turns", "max_regenerations", "battles_per_day", "max_waiting"),
            *("battles_per_network", "excluded_alarm"),
            *("newcomer_votes", "category_votes", "flood_per_minute", "work_bits"),
        )
        widgets: ClassVar = {
            **{name: forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}) for name in numbers},
            "newcomer_share": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            "lead": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "system_prompt": forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        }
        labels: ClassVar = {"is_default": _("At the site’s first page")}
        help_texts: ClassVar = {
            "output": _("Only models that answer with it take part. It stays from the first battle on."),
            "max_turns": _("1 where battles are of images, sounds or films."),
            "system_prompt": _(
                "The first message of every battle, the same for both models. It is kept with the prompt."
            ),
            "enters_all": _("Each enters by itself on its first chance; otherwise only those that you enter."),
            "takes_images": _(
                "One with each turn, for models whose settings say that they take pictures. House rules read words"
                " alone, and look into no picture."
            ),
            "max_regenerations": _("At most 10; 0 offers it to nobody."),
            "newcomer_share": _(
                "Such as 0.2, for battles with a newcomer in them. It holds while as many models as a battle has are no"
                " newcomers; left empty, the policy decides."
            ),
            "category_votes": _(
                "For policies that learn: a prompt’s category is then a board of its own for them. Left empty, all"
                " prompts are one."
            ),
            "pool_by_category": _(
                "For “Give me any”: rare categories come as often as others. Otherwise every prompt is as likely."
            ),
            "battles_per_network": _("Of all arenas together; a school or an office is one network."),
            "excluded_alarm": _("Of the last 30 days, by blocks of visitors. Empty: never."),
            "flood_per_minute": _("Empty: never. Without a script a visitor waits a minute instead."),
            "work_bits": _("Of 18, a browser tries some 260,000 times; each more doubles it."),
            "is_listed": _("Otherwise only who has the address finds it."),
        }

    def __init__(self, arena: Arena, data: Any = None) -> None:
        super().__init__(data, instance=arena)
        if arena.is_default:
            self.fields["is_default"].disabled = True
            self.fields["is_default"].help_text = _("Put another arena there, and this one makes room.")
        if arena.battles.exists():
            self.fields["output"].disabled = True
            self.fields["output"].help_text = _("It has battles, so this stays as it is.")
        for name in ("battles_per_day", "max_waiting"):
            self.fields[name].validators.append(MinValueValidator(1))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("output", Output.TEXT) != Output.TEXT and cleaned.get("max_turns", 1) != 1:
            self.add_error("max_turns", _("Battles of images, sounds or films have one turn: write 1."))
        if cleaned.get("takes_images") and cleaned.get("output", self.instance.output) != Output.TEXT:
            self.add_error("takes_images", _("Visitors add pictures only where models answer with text."))
        return cleaned

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
