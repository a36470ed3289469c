"""What paid amounts are paid from, as an admin writes it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.forms.campaign import NUMERIC, SectionForm
from annotation.models import Campaign
from annotation.policies.drafts import COLUMNS, WORTH
from annotation.questions.amount.typed_decimal import parse_amount
from annotation.questions.refusals import Refused

MOST_ARMS = 8
MOST_ENDOWMENT = Decimal(10_000)
LONGEST_SESSION = 1_000


class EndowmentsField(forms.CharField):
    """Amounts of whole cents, one a line, each once."""

    def __init__(self, **values: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "inputmode": "decimal"}), **values)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{each:.2f}" for each in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().to_python(value)).splitlines() if line.strip()]
        if len(lines) > MOST_ARMS:
            raise forms.ValidationError(_("At most %(most)d amounts.") % {"most": MOST_ARMS})
        found = [_endowment(line) for line in lines]
        if len(set(found)) < len(found):
            raise forms.ValidationError(_("Write each amount once."))
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _endowment(line: str) -> Decimal:
    try:
        amount = parse_amount(line)
    except Refused as refused:
        raise forms.ValidationError(refused.refusal.message) from refused
    if not 0 < amount <= MOST_ENDOWMENT or amount != amount.quantize(Decimal("0.01")):
        raise forms.ValidationError(
            _("%(line)s is no whole number of cents from 0.01 to %(most)s.") % {"line": line, "most": MOST_ENDOWMENT}
        )
    return amount.quantize(Decimal("0.01"))


class WorthForm(SectionForm):
    section = WORTH
    endowments = EndowmentsField(
        label=gettext_lazy("What people are given to pay from"),
        required=False,
        help_text=gettext_lazy("One amount a line, in the unit of amounts. Of several each person draws one."),
    )

    class Meta:
        model = Campaign
        fields = COLUMNS[WORTH]
        widgets = {"session_items": forms.TextInput(attrs=NUMERIC)}
        help_texts = {"session_items": gettext_lazy("After so many a person’s answers are locked, and one is drawn.")}

    def __init__(self, campaign: Campaign, data: Any = None, *, frozen: bool = False) -> None:
        super().__init__(campaign, data, frozen=frozen)
        self.fields["session_items"].validators += [MinValueValidator(1), MaxValueValidator(LONGEST_SESSION)]
