"""What annotators ask about guidelines, and what is answered."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.models import GuidelineQuestion

LONGEST_QUESTION, LONGEST_WORDING, LONGEST_ANSWER = 2000, 500, 5000


class AskForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Your question"),
        max_length=LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "autocomplete": "off"}),
        help_text=gettext_lazy("Who runs the campaign reads it. If the answer helps others, it is added without you."),
        error_messages={"required": gettext_lazy("Write your question.")},
    )


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Answer, in Markdown"),
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        error_messages={"required": gettext_lazy("Write an answer.")},
    )
    publish = forms.BooleanField(
        label=gettext_lazy("Add it to the guidelines, for everybody"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Nobody has to stop for it: it is shown as news beside their next item."),
    )
    wording = forms.CharField(
        label=gettext_lazy("The question as everybody reads it"),
        required=False,
        max_length=LONGEST_WORDING,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text=gettext_lazy("In your words: theirs stay sealed, and go when they are erased."),
    )

    def __init__(self, question: GuidelineQuestion, data: Any = None) -> None:
        initial = {"publish": not question.answered_at or question.published_in_id is not None}
        super().__init__(
            data,
            initial=initial | {"answer": question.answer, "wording": question.published_question},
            auto_id=f"id_{question.pk}_%s",
        )
        if question.published_in_id is not None:
            self.fields["publish"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("publish") and not cleaned.get("wording"):
            self.add_error("wording", _("Word the question as everybody is to read it."))
        return cleaned
