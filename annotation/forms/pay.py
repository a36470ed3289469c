"""What admins say about pay: who gets a bonus and why, what is taken back, and how a payout was paid."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.enums import EntryKind
from annotation.policies.bonus_list import LONGEST_REASON, Bonus, BonusesRefused, Problem, read_amount, read_bonuses

LONGEST_LIST = 500_000
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class KeyedForm(forms.Form):
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def renew_key(self, key: str) -> None:
        """So that the form as it stands now can be sent, as another one."""
        self.data = {**{name: self.data[name] for name in self.data}, "key": key}


class BonusForm(KeyedForm):
    """For one person."""

    pseudonym = forms.CharField(label=_("Pseudonym"), max_length=64, widget=forms.TextInput(attrs=PLAIN))
    amount = forms.CharField(
        label=_("Amount"), max_length=20, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Whoever gets the bonus reads it."),
    )

    def clean_amount(self) -> Decimal:
        try:
            return read_amount(self.cleaned_data["amount"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    @property
    def bonuses(self) -> list[Bonus]:
        given = self.cleaned_data
        return [Bonus(1, given["pseudonym"], given["amount"], given["reason"])]

    def refuse(self, refusal: BonusesRefused) -> None:
        for problem in refusal.problems:
            self.add_error("pseudonym", problem.text)


class BonusListForm(KeyedForm):
    """For several at once: pasted, or a file."""

    text = forms.CharField(
        label=_("Lines"),
        required=False,
        max_length=LONGEST_LIST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto", **PLAIN}),
        help_text=_("pseudonym, amount, reason – a line for each person. All are given, or none."),
    )
    file = forms.FileField(
        label=_("Or a CSV file"),
        required=False,
        max_length=1000,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )

    bonuses: list[Bonus]
    # Why the list could not be read, where it could not.
    refusal: BonusesRefused | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if self.errors:
            return cleaned
        if bool(file) == bool(text.strip()):
            raise ValidationError(gettext("Paste lines or choose a file, one of the two."))
        try:
            self.bonuses = read_bonuses(_decoded(file) if file else text)
        except BonusesRefused as refusal:
            self.refusal = refusal
            self.refuse(refusal)
        return cleaned

    def refuse_too(self, problems: Sequence[Problem]) -> None:
        """These besides what could not be read, by their lines."""
        if self.refusal is not None and problems:
            del self.errors["text"]
            self.refuse(BonusesRefused(sorted([*self.refusal.problems, *problems], key=lambda each: each.line)))

    def refuse(self, refusal: BonusesRefused) -> None:
        for problem in refusal.problems[:50]:
            self.add_error("text", in_words(problem))
        if len(refusal.problems) > 50:
            self.add_error("text", gettext("And %(count)d more.") % {"count": len(refusal.problems) - 50})


def in_words(problem: Problem) -> str:
    if not problem.line:
        return problem.text
    return gettext("Line %(number)d: %(text)s") % {"number": problem.line, "text": problem.text}


def _decoded(file: Any) -> str:
    if file.size > LONGEST_LIST:
        raise ValidationError(gettext("The file is too large for a list of bonuses."))
    try:
        text: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(gettext("The file is not text in UTF-8.")) from error
    return text


class ReversalForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Whoever it is taken from reads it."),
    )


class PaymentForm(forms.Form):
    reference = forms.CharField(
        label=_("Reference of the payment"),
        max_length=200,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Such as the number of the transfer. It stays, and is not changed later."),
    )


class EntryFilterForm(forms.Form):
    """What cannot be meant is left out rather than refused."""

    person = forms.CharField(label=_("Pseudonym"), required=False, max_length=64, widget=forms.TextInput(attrs=PLAIN))
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any")), *EntryKind.choices])

    @property
    def chosen(self) -> dict[str, str]:
        cleaned = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        return {"pseudonym": cleaned.get("person", ""), "kind": cleaned.get("kind", "")}
