"""What an admin says about content that people are warned of, and what an annotator does not want to meet."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.forms.campaign import AT_LEAST_ONE, NUMERIC, SectionForm
from annotation.forms.fields import LinesField
from annotation.models import Campaign, Respondent
from annotation.policies.drafts import COLUMNS, CONTENT

MOST_CATEGORIES = 20
LONGEST_CATEGORY = 80


class ContentForm(SectionForm):
    section = CONTENT
    warned_content = LinesField(
        label=gettext_lazy("Categories that people are warned of"),
        required=False,
        most=MOST_CATEGORIES,
        longest=LONGEST_CATEGORY,
        help_text=gettext_lazy("One a line, as people read it: “Injuries and blood”. Items name them in a column."),
    )

    class Meta:
        model = Campaign
        fields = COLUMNS[CONTENT]
        widgets = {"exposure_cap": forms.TextInput(attrs=NUMERIC)}
        help_texts = {"exposure_cap": gettext_lazy("Empty: no limit. A day begins at midnight UTC.")}

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        super().__init__(campaign, data, frozen=frozen)
        self.fields["exposure_cap"].validators.append(AT_LEAST_ONE)

    def clean_warned_content(self) -> list[str]:
        found: list[str] = self.cleaned_data["warned_content"]
        if any("," in name for name in found):
            raise forms.ValidationError(
                _("A category has no comma in it: items name several with commas between them.")
            )
        if len({name.casefold() for name in found}) < len(found):
            raise forms.ValidationError(_("Two categories differ in capital letters alone."))
        return found


class DeclineForm(forms.Form):
    """Categories of content that somebody does not want to meet."""

    declined = forms.MultipleChoiceField(
        label=gettext_lazy("Do not show me"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, campaign: Campaign, respondent: Respondent | None = None, data: Any = None) -> None:
        super().__init__(data, initial={"declined": respondent.declined_content if respondent else []})
        chosen: Any = self.fields["declined"]
        chosen.choices = [(name, name) for name in campaign.warned_content]
