from django import forms
from django.utils.translation import gettext_lazy as _

from foundation.idempotency import mint_key


class PromptForm(forms.Form):
    """What a visitor asks. The key makes a double click one battle."""

    prompt = forms.CharField(
        strip=True,
        max_length=100_000,
        error_messages={"required": _("Write something to ask first.")},
    )
    key = forms.RegexField(r"^[\x21-\x7e]{1,64}$", widget=forms.HiddenInput)

    @classmethod
    def blank(cls, prompt: str = "") -> "PromptForm":
        return cls(initial={"key": mint_key(), "prompt": prompt})
