from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import LinkPurpose
from annotation.enums import ReactionKind
from foundation.idempotency import mint_key
from foundation.media.anew import NewPicture, made_anew
from foundation.media.check import BadMedia

# Of sides as shown.
LETTERS = "abcd"


class PictureField(forms.FileField):
    """A picture that is taken, made anew; where none came, None. What its file is called and says of itself is not
    believed."""

    widget = forms.FileInput

    def clean(self, data: Any, initial: Any = None) -> NewPicture | None:
        file = super().clean(data, initial)
        if not file:
            return None
        if file.size > settings.PICTURE_MAX_MB * 1_000_000:
            said = _("This picture has more than %(most)d MB. Choose a smaller one.")
            raise forms.ValidationError(said % {"most": settings.PICTURE_MAX_MB})
        try:
            return made_anew(file.read(), file.name)
        except BadMedia as refused:
            said = _("This picture cannot be taken: %(reason)s.")
            raise forms.ValidationError(said % {"reason": refused.reason}) from refused


class PromptForm(forms.Form):
    """What a visitor asks. The key makes a double click one battle."""

    prompt = forms.CharField(
        strip=True,
        max_length=100_000,
        error_messages={"required": _("Write something to ask first.")},
    )
    picture = PictureField(required=False, allow_empty_file=True, max_length=1000)
    key = forms.RegexField(r"^[\x21-\x7e]{1,64}$", widget=forms.HiddenInput)

    @classmethod
    def blank(cls, prompt: str = "") -> "PromptForm":
        return cls(initial={"key": mint_key(), "prompt": prompt})


class GoOnForm(PromptForm):
    """With the side that the visitor goes on from, where their vote preferred none; empty to have one drawn."""

    base = forms.ChoiceField(choices=[(letter, letter) for letter in LETTERS], required=False)
    # What a flooded arena asked the browser for.
    work = forms.CharField(required=False, max_length=700, widget=forms.HiddenInput)


class ReactionForm(forms.Form):
    """What is said of one answer: a button sets a kind or takes it back, by its name."""

    number = forms.IntegerField(min_value=0, max_value=1000)
    place = forms.IntegerField(min_value=0, max_value=len(LETTERS) - 1)
    set = forms.ChoiceField(choices=ReactionKind, required=False)
    unset = forms.ChoiceField(choices=ReactionKind, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("set")) == bool(cleaned.get("unset")):
            raise forms.ValidationError(_("Say one thing at a time."))
        return cleaned

    @property
    def side(self) -> str:
        return LETTERS[self.cleaned_data["place"]]

    @property
    def said(self) -> dict[str, Any]:
        found = self.cleaned_data
        kind = found["set"] or found["unset"]
        return {"number": found["number"], "place": found["place"], "kind": kind, "is_set": bool(found["set"])}


class OwnLinkForm(forms.Form):
    """What a link to one's own data is for."""

    purpose = forms.ChoiceField(choices=LinkPurpose)


class EraseForm(forms.Form):
    withdraws = forms.BooleanField(
        label=_("Also take my votes out of leaderboards and datasets made from now on."),
        required=False,
        help_text=_(
            "Otherwise they go on counting, without anything that ties them to you. So do answers to a campaign whose"
            " last day for withdrawals is over."
        ),
    )
    confirmed = forms.BooleanField(
        label=_("Delete what I wrote. I know that this cannot be undone."),
        error_messages={"required": _("Tick this to delete. Without it nothing happens.")},
    )


class AppealForm(forms.Form):
    """Why a visitor's votes should count; an admin reads it."""

    words = forms.CharField(
        label=_("Why your votes should count"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("An admin of this arena reads it, and you read the answer here. You can appeal once."),
    )
