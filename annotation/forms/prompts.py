"""Where prompts come from, in every form that takes them."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.imports.table_file import EXTENSIONS

LONGEST_PASTED = 1_000_000


class PromptsForm(forms.Form):
    """Prompts as lines, or as a file of a table. Which file it takes, and what else there is, a subclass says."""

    lines = forms.CharField(
        label=_("Prompts, one on each line"),
        required=False,
        max_length=LONGEST_PASTED,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "dir": "auto"}),
    )
    file = forms.FileField(
        label=_("Or a file of prompts"),
        required=False,
        allow_empty_file=True,
        max_length=1000,
        widget=forms.FileInput(attrs={"accept": ",".join(EXTENSIONS)}),
    )
    # What is said of the file.
    takes: ClassVar[Any] = ""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["file"].help_text = self.takes
