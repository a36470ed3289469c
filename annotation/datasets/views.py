"""The views a dataset can have, and whom each is made for."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.boards import merged_contestants
from annotation.boards.chances import Chances, fit_chances
from annotation.datasets.columns import Page
from annotation.datasets.facts import margin_divisor
from annotation.datasets.pairs import PairsView
from annotation.datasets.scope import Scope
from annotation.datasets.votes import VotesView
from annotation.enums import DatasetView, Method

# The fit that pairs carry; boards may use others.
FITTED_BY = Method.BRADLEY_TERRY


class View(Protocol):
    """One view of one scope. `dropped` counts reasons as the pages are read."""

    schema: pa.Schema
    dropped: Counter[str]

    def pages(self) -> Iterator[Page]: ...


@dataclass(frozen=True)
class About:
    """What a view is for, in words."""

    summary: str | Promise
    trainer: str


ABOUT = {
    DatasetView.PREFERENCE_PAIRS: About(
        _("A prompt with a chosen and a rejected response, one row for each item."),
        "TRL DPOTrainer and its variants (conversational preference format)",
    ),
    DatasetView.REWARD_PAIRS: About(
        _("The same pairs with a margin: by how much the chosen response is preferred, in logits."),
        "TRL RewardTrainer (conversational preference format with margin)",
    ),
    DatasetView.VOTES: About(
        _("Every judgment as it was given, with what was shown and how it was drawn. Nothing is collapsed."),
        "researchers; no trainer reads it as it is",
    ),
}


@dataclass(frozen=True, eq=False)
class Measures:
    """What the views of one scope share, computed once."""

    fit: Chances | None
    divisor: float


def measure(scope: Scope, views: list[str]) -> Measures:
    paired = any(view != DatasetView.VOTES for view in views)
    fit = fit_chances(scope.judgments(), method=FITTED_BY, merged=merged_contestants()) if paired else None
    return Measures(fit=fit, divisor=margin_divisor(scope))


def open_view(name: str, scope: Scope, measures: Measures) -> View:
    """Raises ValueError for a view there is not."""
    view = DatasetView(name)
    if view is DatasetView.VOTES:
        return VotesView(scope)
    return PairsView(scope, fit=measures.fit, divisor=measures.divisor if view is DatasetView.REWARD_PAIRS else None)
