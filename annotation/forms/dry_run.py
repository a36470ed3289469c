"""How large a dry run is."""

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.use_cases.cast_shadow import MOST_ITEMS, MOST_PEOPLE


class DryRunForm(forms.Form):
    items = forms.IntegerField(label=_("Items"), min_value=1, max_value=MOST_ITEMS, initial=40)
    people = forms.IntegerField(label=_("Simulated people"), min_value=2, max_value=MOST_PEOPLE, initial=12)
