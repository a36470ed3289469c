"""What the arithmetic refuses, one class each. Every message says how to mend it."""

from __future__ import annotations

from collections.abc import Iterable


class RankingError(ValueError):
    """Base of every refusal in this package."""


class ShapeMismatch(RankingError):
    """Two arrays that describe the same rows have different lengths, or a matrix is not square."""


class UnknownIndex(RankingError):
    """A contestant's index is outside 0..count-1, or not an integer."""


class BadOutcome(RankingError):
    """An outcome is not 0, 0.5 or 1."""


class BadWeight(RankingError):
    """A weight or a count is negative, infinite or NaN."""


class BadAmount(RankingError):
    """An amount is infinite, or `amount` is needed and absent."""


class BadCovariate(RankingError):
    """A covariate is NaN or infinite, or says nothing that the strengths do not say already."""


class BadParameter(RankingError):
    """A setting of a fit is outside its range."""


class BadProbability(RankingError):
    """A probability is outside its range, or those of one pair do not sum to one."""


class NoComparisons(RankingError):
    """Nothing is left to fit."""


class SingleContestant(RankingError):
    """A ranking needs two contestants."""


class OnlyTies(RankingError):
    """No row prefers anything, so there is no order to find."""


class NoTies(RankingError):
    """A model of ties needs some."""


class NoLevel(RankingError):
    """Nothing ties some strengths to the outside option."""


class NoConvergence(RankingError):
    """Newton's method did not reach the maximum."""


class EmptyGroup(RankingError):
    """Nobody is left in some group of annotators: the votes do not bear as many groups."""


class MissingLabels(RankingError):
    """Clustering was asked for and the comparisons carry no labels for it."""


class TooFewClusters(RankingError):
    """Fewer than two clusters: the spread between clusters cannot be estimated."""


class TooFewAnswers(RankingError):
    """No annotator gave enough amounts to be scaled."""


class TooFewCandidates(RankingError):
    """A pair cannot be chosen from fewer than two active contestants."""


class UnmetPairs(RankingError):
    """Some present contestants never met, and the rule was not told what that means; carries the pairs."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.pairs = tuple(pairs)
        shown = ", ".join(f"{i}-{j}" for i, j in self.pairs[:8])
        more = f" and {len(self.pairs) - 8} more" if len(self.pairs) > 8 else ""
        super().__init__(
            f"These pairs never met: {shown}{more}. Collect votes on them, give fitted probabilities, or build the "
            "tournament with Absent.NEITHER, which takes them to speak for neither side."
        )


class BadValue(RankingError):
    """A judgment's value is NaN or infinite, or has a sign where a size is wanted."""


class NoOverlap(RankingError):
    """Nothing was judged twice, so there is nothing to compare."""


class NoVariation(RankingError):
    """Only one value was ever given, so agreement cannot be told from chance."""


class _Components(RankingError):
    """Carries the groups, as tuples of contestant indices, largest group first."""

    reason = ""
    fix = ""

    def __init__(self, components: Iterable[tuple[int, ...]], fix: str | None = None) -> None:
        self.components = tuple(components)
        super().__init__(f"{self.reason}: {_listed(self.components)}. {fix or self.fix}")


class NotConnected(_Components):
    """No chain of comparisons joins these groups, so their strengths have no common scale."""

    reason = "No comparison joins these groups of contestants"
    fix = "Rank each group apart, or collect comparisons between them."


class NotStronglyConnected(_Components):
    """Some group never loses to the rest: the likelihood has no finite maximum (Ford 1957)."""

    reason = "Some of these groups never lose to another, so no finite strengths maximise the likelihood"
    fix = "Fit with a prior (VirtualTie()), which flags them, or collect more comparisons."


def _listed(components: tuple[tuple[int, ...], ...], most: int = 8) -> str:
    """`{0, 1, 2}, {3}`, cut after `most` groups and `most` members of each."""

    def one(members: tuple[int, ...]) -> str:
        rest = f", and {len(members) - most} more" if len(members) > most else ""
        return "{" + ", ".join(str(index) for index in members[:most]) + rest + "}"

    more = f" and {len(components) - most} more groups" if len(components) > most else ""
    return ", ".join(one(members) for members in components[:most]) + more
