"""What reviewers say about judgments, items and batches, and annotators about a rejection."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.enums import ReviewState
from annotation.queries.reviews import SETTLED_STATE
from annotation.use_cases.make_batch import MOST_IN_BATCH

LONGEST_MESSAGE = 4_000
ORDERS = [
    ("newest", _("Newest")),
    ("disagreement", _("Most disagreement")),
    ("gold", _("Wrong on gold")),
    ("flag", _("Flagged items")),
    ("annotator", _("Annotators to look at")),
]
STATES = [
    ("", _("Everything that waits")),
    (ReviewState.PENDING, _("Nobody has decided yet")),
    (ReviewState.CONTESTED, _("Rejected by one, waits for a second")),
    (ReviewState.APPEALED, _("Appeals")),
    (ReviewState.APPROVED, _("Approved")),
    (ReviewState.REJECTED, _("Rejected")),
    (ReviewState.RETURNED, _("Returned")),
    (SETTLED_STATE, _("Settled by an expert")),
]


def words_field(label: Any, *, help_text: Any = "", required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "autocomplete": "off"}),
    )


class QueueForm(forms.Form):
    """What cannot be meant is left out rather than refused."""

    order = forms.ChoiceField(label=_("Order"), choices=ORDERS, required=False)
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    annotator = forms.CharField(
        label=_("Annotator"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The pseudonym, or how it begins."),
    )

    @property
    def chosen(self) -> dict[str, str]:
        cleaned = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        return {
            "order": cleaned.get("order") or "newest",
            "state": cleaned.get("state", ""),
            "annotator": cleaned.get("annotator", "").strip(),
        }


class DecisionForm(forms.Form):
    """What is decided, about which state. Who rejects or refuses says why: the annotator reads it."""

    decision = forms.ChoiceField(
        choices=[(name, name) for name in ("approve", "reject", "reopen", "grant", "refuse")],
        widget=forms.HiddenInput,
    )
    seen = forms.ChoiceField(choices=ReviewState.choices, widget=forms.HiddenInput)
    message = words_field(_("Message to the annotator"), help_text=_("A rejection needs one; the annotator reads it."))
    # Whoever approves beside it needs no words, which a browser cannot know.
    use_required_attribute = False

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        message = self.fields["message"]
        message.required = data is None or data.get("decision") not in ("approve", "reopen", "grant")
        message.error_messages["required"] = _("Say why, in words that the annotator can learn from.")


class CommentForm(forms.Form):
    words = words_field(_("Comment"), help_text=_("For those who run and review this campaign."))


class ResolveForm(forms.Form):
    words = words_field(_("What became of it"), help_text=_("It stays with the item, for those who run and review."))


class AskForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class AppealForm(forms.Form):
    words = words_field(
        _("Why should it count?"),
        help_text=_("A reviewer who has not decided about it before reads this. You can appeal once."),
    )


class BatchForm(forms.Form):
    """Which judgments; empty is all that wait."""

    most = forms.IntegerField(
        label=_("The first"),
        required=False,
        min_value=1,
        max_value=MOST_IN_BATCH,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Judgments, the oldest first. Empty: all that wait."),
    )
    group = forms.ChoiceField(label=_("Only of the group"), required=False)

    def __init__(self, data: Any = None, *, groups: list[str]) -> None:
        super().__init__(data)
        field: Any = self.fields["group"]
        field.choices = [("", _("Everybody")), *((name, name) for name in groups)]


class ReturnForm(forms.Form):
    message = words_field(_("Message to its annotators"))
