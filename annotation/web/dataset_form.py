"""What a researcher chooses for a dataset."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.datasets.previews import Supply
from annotation.datasets.scope import LICENCES, ChosenBy, Filters
from annotation.enums import DatasetView, JudgedBy


class DatasetForm(forms.Form):
    """Everything is preset but judgments of simulated people and of model judges: those are in only if asked for."""

    views = forms.MultipleChoiceField(
        label=_("Views"),
        choices=DatasetView.choices,
        initial=DatasetView.values,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one view.")},
    )
    sources = forms.TypedMultipleChoiceField(
        label=_("Sources"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one source.")},
    )
    judged_by = forms.ChoiceField(
        label=_("Judged by"),
        choices=JudgedBy.choices,
        initial=JudgedBy.PEOPLE,
    )
    chosen_by = forms.ChoiceField(
        label=_("The chosen response is the one that"),
        choices=[
            (ChosenBy.MAJORITY, _("most votes prefer")),
            (ChosenBy.NET_UTILITY, _("is worth more, by the amounts people gave")),
        ],
        initial=ChosenBy.MAJORITY,
        help_text=_("Pairs where votes and amounts disagree are marked either way."),
    )
    by_experts = forms.BooleanField(
        label=_("Where an expert settled an item, the expert’s answer decides"),
        required=False,
        initial=True,
        help_text=_("Pairs where the votes would have decided otherwise are marked. Votes stay as they were given."),
    )
    minimum_agreement = forms.IntegerField(
        label=_("Least agreement in percent"),
        min_value=0,
        max_value=100,
        initial=0,
        help_text=_("Pairs on which fewer judgments say the same are dropped."),
    )
    with_checks = forms.BooleanField(
        label=_("Votes on gold, training, test and repeated items too"),
        required=False,
        help_text=_(
            "Each row says which it is. Boards and pairs leave them out. They tell what the right answers are."
        ),
    )
    licence = forms.ChoiceField(label=_("Licence on the card"), choices=list(LICENCES.items()), initial="other")

    def __init__(self, supplies: Sequence[Supply], data: Any = None, *, makes_pairs: bool = True) -> None:
        super().__init__(data)
        self.supplies, self.makes_pairs = supplies, makes_pairs
        if not makes_pairs:
            self.fields["views"].initial = [DatasetView.VOTES]
        sources: Any = self.fields["sources"]
        sources.choices = [(supply.source.pk, supply.source.name) for supply in supplies]
        sources.initial = [supply.source.pk for supply in supplies if not supply.asked_for]

    @property
    def filters(self) -> Filters:
        """Of a valid form."""
        cleaned = self.cleaned_data
        return Filters(
            sources=tuple(sorted(cleaned["sources"])),
            judged_by=JudgedBy(cleaned["judged_by"]),
            chosen_by=ChosenBy(cleaned["chosen_by"]),
            minimum_agreement=cleaned["minimum_agreement"] / 100,
            licence=cleaned["licence"],
            with_checks=cleaned["with_checks"],
            by_experts=cleaned["by_experts"],
        )

    @property
    def chosen_sources(self) -> set[str]:
        """As texts, for the template that draws the boxes."""
        return {str(value) for value in self["sources"].value() or []}
