"""Withdrawing, and whether what somebody wrote in their own words may be published."""

from django import forms
from django.utils.translation import gettext_lazy as _


class WithdrawForm(forms.Form):
    confirmed = forms.BooleanField(
        label=_("I withdraw my answers, and know that this cannot be undone."),
        error_messages={"required": _("Tick this to withdraw. Without it nothing happens.")},
    )


class RequestForm(forms.Form):
    """For somebody who runs the campaign and was asked."""

    reason = forms.CharField(
        label=_("Who asked, when and how"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        help_text=_("Kept in this person’s history. The people of the campaign do not see it."),
    )


class OwnTextsForm(forms.Form):
    releases_texts = forms.BooleanField(
        label=_("What I write in my own words, such as reasons, may be published under my pseudonym."),
        required=False,
        help_text=_("Only if you tick this. You can change it in your history; what was published cannot be recalled."),
    )
