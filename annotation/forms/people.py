"""What admins say about people: whom to invite and how, which to list, into which groups, and why one is blocked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.enums import RespondentKind, RespondentState
from annotation.policies.groups import LONGEST_GROUP, MOST_GROUPS, BadGroups, group_names

# What a PositiveIntegerField holds is more; nobody means it.
MOST_PEOPLE = 1_000_000


class GroupsField(forms.CharField):
    """A list of names, typed as words with commas between them."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        try:
            return group_names(str(super().clean(value)).split(","))
        except BadGroups as error:
            message = gettext("At most %(count)d groups with at most %(length)d characters each.")
            raise ValidationError(message % {"count": MOST_GROUPS, "length": LONGEST_GROUP}) from error


class InvitationForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("For this list. Whoever gets the link does not see it."),
    )
    kind = forms.ChoiceField(
        label=_("They join as"),
        choices=[(kind.value, kind.label) for kind in (RespondentKind.ANNOTATOR, RespondentKind.EXPERT)],
    )
    groups = GroupsField(label=_("Groups"), required=False, help_text=_("Words with commas between them."))
    most_uses = forms.IntegerField(
        label=_("How many people may use it"),
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Empty: any number."),
    )
    expires_at = forms.DateTimeField(
        label=_("Valid until, in UTC"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: until it is revoked."),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, now: datetime, **options: Any) -> None:
        super().__init__(data, **options)
        self._now = now

    def clean_expires_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["expires_at"]
        if moment is not None and moment <= self._now:
            raise ValidationError(gettext("This moment has passed."))
        return moment

    def renew_key(self, key: str) -> None:
        """So that the form as it stands now can be sent, as another one."""
        self.data = {**{name: self.data[name] for name in self.data}, "key": key}


class PeopleFilterForm(forms.Form):
    """What cannot be meant is left out rather than refused."""

    group = forms.ChoiceField(label=_("Group"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any")), *RespondentState.choices])

    def __init__(self, data: Any, *, groups: Sequence[str]) -> None:
        super().__init__(data)
        group: Any = self.fields["group"]
        group.choices = [("", _("Any")), *((name, name) for name in groups)]

    @property
    def chosen(self) -> dict[str, str]:
        cleaned = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        return {name: cleaned.get(name, "") for name in ("group", "state")}


class BlockForm(forms.Form):
    """Also of letting somebody work again: either needs a reason, which stays beside the data."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class GroupsForm(forms.Form):
    groups = GroupsField(label=_("Groups"), required=False, help_text=_("Words with commas between them."))
