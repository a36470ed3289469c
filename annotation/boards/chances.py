"""Fitted probabilities of single pairs, for whoever needs more than a board shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, sqrt

from django.db.models import QuerySet

from annotation.models import Judgment
from annotation.ratings import Floats, Ints, read_pairs
from ranking import NoComparisons, fit_bradley_terry


@dataclass(frozen=True)
class Chance:
    """Fitted probability that the first of two contestants is preferred, a tie as half, and its standard error."""

    probability: float
    standard_error: float


@dataclass(frozen=True, eq=False)
class Chances:
    """One fit of strengths. Contestants are looked up by id, merged ones where they count."""

    places: dict[int, int]
    merged: Mapping[int, int]
    strength: Floats  # (M,)
    variance: Floats  # (M, M) of differences
    component: Ints  # (M,)
    covariance: str

    def of(self, first: int, second: int) -> Chance | None:
        """By the delta method; None where the two have no common scale."""
        a, b = (self.places.get(self.merged.get(pk, pk)) for pk in (first, second))
        if a is None or b is None or self.component[a] != self.component[b] or self.component[a] < 0:
            return None
        probability = 1.0 / (1.0 + exp(float(self.strength[b] - self.strength[a])))
        return Chance(probability, probability * (1.0 - probability) * sqrt(float(self.variance[a, b])))


def fit_chances(judgments: QuerySet[Judgment], *, method: str, merged: Mapping[int, int]) -> Chances | None:
    """The fit a board of these judgments has; None where no vote compares two contestants."""
    pairs = read_pairs(judgments, merged=merged)
    try:
        fit = fit_bradley_terry(pairs.comparisons(method))
    except NoComparisons:
        return None
    return Chances(
        places={pk: place for place, pk in enumerate(pairs.contestants)},
        merged=pairs.merged,
        strength=fit.strength,
        variance=fit.difference_variance(),
        component=fit.evidence.component,
        covariance=fit.clustering.kind.value,
    )
