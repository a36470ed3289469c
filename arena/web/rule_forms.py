"""What admins write about house rules."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.enums import VerdictOutcome
from arena.models import HouseRule
from inference_workers.enums import RuleAction, RuleKind
from inference_workers.policies.personal_data import CHECKS


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
    outcome = forms.ChoiceField(choices=VerdictOutcome)
