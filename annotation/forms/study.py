"""What an admin says about a study of a recruitment service."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.models import Study
from annotation.policies.study_links import CODE, ID

MOST_PEOPLE = 1_000_000
PLAIN = {"autocomplete": "off", "spellcheck": "false"}
NUMERIC = {"inputmode": "numeric", "autocomplete": "off"}
CODES = ("completion_code", "screen_out_code", "over_quota_code")


class CodesForm(forms.Form):
    """What may be changed later: the codes, and how many people and judgments."""

    completion_code = forms.CharField(label=_("Completion code"), max_length=40, widget=forms.TextInput(attrs=PLAIN))
    screen_out_code = forms.CharField(
        label=_("Screen-out code"),
        max_length=40,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("For who fails the test or two checks. They are paid for what they did."),
    )
    over_quota_code = forms.CharField(
        label=_("Over-quota code"),
        max_length=40,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("For who comes when every place is taken."),
    )
    judgments = forms.IntegerField(
        label=_("Judgments per person"),
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=_("Then they are done. Empty: as many as the campaign gives them."),
    )
    places = forms.IntegerField(
        label=_("Places"),
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        widget=forms.TextInput(attrs=NUMERIC),
        help_text=_("For people who are done or at work. Who is screened out or leaves frees one. Empty: any number."),
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        for name in CODES:
            self.fields[name].validators.append(RegexValidator(CODE, _("Letters, digits, hyphens and underscores.")))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        codes = [cleaned[name] for name in CODES if cleaned.get(name)]
        if len(set(codes)) < len(codes):
            self.add_error(None, gettext("The three codes differ: by them Prolific tells how somebody left."))
        return cleaned

    @classmethod
    def of(cls, study: Study, data: Any = None) -> "CodesForm":
        values = {name: getattr(study, name) for name in (*CODES, "judgments")}
        return cls(data, initial=values | {"places": study.invitation.most_uses})

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in (*CODES, "judgments", "places")}


class StudyForm(CodesForm):
    external_id = forms.CharField(
        label=_("Study id"),
        max_length=64,
        validators=[RegexValidator(ID, _("Letters, digits, hyphens and underscores."))],
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("As Prolific names the study in its address."),
    )
    field_order = ("external_id", "places", "judgments", *CODES)
