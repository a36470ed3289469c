"""The methods that a board's votes can be read by, each once: pages, files and tests go by this table."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from annotation.boards.canonical import plain
from annotation.boards.methods import asked, cycles, parts, votes
from annotation.boards.methods.evidence import Board, Evidence
from annotation.ratings import TIE, A, B
from ranking import RankingError

Words = str | Promise
# Goes up when the same votes give another board by some method, or one of another shape.
METHODS_VERSION = 1
# Beyond these a fit would take a reader's process for longer than anybody waits.
MOST_CONTESTANTS, MOST_VOTES = 100, 200_000
MOST_OF_CYCLES = 30_000
Why = str | None


@dataclass(frozen=True)
class Method:
    """`lacks` says by its key what the votes lack for it, None where nothing; `compute` may raise RankingError."""

    name: str
    title: Words
    assumes: Words
    needs: Words
    lacks: Callable[[Evidence], Why]
    compute: Callable[[Evidence], Board]


def computed(method: Method, evidence: Evidence) -> dict[str, Any]:
    """A method's board as plain JSON; `reason` says by its key why there is none."""
    reason = why_not(method, evidence)
    if reason is None:
        try:
            found: dict[str, Any] = plain({"reason": None, **asdict(method.compute(evidence))})
            return found
        except RankingError as refused:
            reason = REFUSED.get(type(refused).__name__, "refused")
    return {"reason": reason, "rows": [], "unit": "", "diagnostics": {}, "warnings": [], "cycles": [], "boards": []}


def why_not(method: Method, evidence: Evidence) -> Why:
    """Its key, without the work of the method itself."""
    if not len(evidence.pairs):
        return "no_votes"
    if evidence.pairs.count > MOST_CONTESTANTS or len(evidence.pairs) > MOST_VOTES:
        return "too_many"
    return method.lacks(evidence)


def _no_votes(evidence: Evidence) -> Why:
    said = np.isin(evidence.pairs.preference, (A, B, TIE)) & (evidence.pairs.a != evidence.pairs.b)
    return None if said.any() else "no_votes"


def _no_ties(evidence: Evidence) -> Why:
    ties = evidence.comparisons().outcome == 0.5
    return _no_votes(evidence) or (None if ties.any() and not ties.all() else "no_ties")


def _no_grades(evidence: Evidence) -> Why:
    scale = votes.scale_of(evidence)
    return None if scale > 0 and len(votes.graded(evidence, scale)) else "no_strengths"


def _no_worth(evidence: Evidence) -> Why:
    if evidence.worth is None:
        return "no_worth"
    return None if any(each["worth"] for each in evidence.entries) else "no_worth_yet"


def _no_level(evidence: Evidence) -> Why:
    both = (evidence.pairs.acceptable_a >= 0) & (evidence.pairs.acceptable_b >= 0)
    return None if both.any() else "no_acceptable"


def _no_circles(evidence: Evidence) -> Why:
    met = len(np.unique(np.concatenate((evidence.comparisons().a, evidence.comparisons().b))))
    if len(evidence.pairs) > MOST_OF_CYCLES:
        return "too_many"
    return _no_votes(evidence) or (None if met >= 3 and len(evidence.comparisons()) >= 5 * met else "too_few")


def _no_groups(evidence: Evidence) -> Why:
    if not evidence.groups:
        return "no_groups"
    return None if len(parts.groups_with_votes(evidence)) >= 2 else "small_groups"


def _no_slices(evidence: Evidence) -> Why:
    return None if len(parts.categories_with_votes(evidence)) >= 2 else "no_categories"


# Of ranking's own refusals, by the names of their classes.
REFUSED = {
    "NoComparisons": "no_votes",
    "NoTies": "no_ties",
    "OnlyTies": "no_ties",
    "NoLevel": "no_level",
    "TooFewClusters": "one_prompt",
    "UnmetPairs": "not_all_met",
    "EmptyGroup": "small_groups",
    "NoConvergence": "no_convergence",
}

METHODS: dict[str, Method] = {
    each.name: each
    for each in (
        Method(
            "bradley-terry",
            gettext_lazy("Bradley-Terry"),
            gettext_lazy(
                "Each model has one strength, and the odds that it is preferred over another depend on the"
                " difference of the two alone: who beats the leader beats everybody whom the leader beats, but for"
                " chance. A tie counts as half a win for each. This is what the board itself is ordered by."
            ),
            gettext_lazy("Votes between two."),
            _no_votes,
            votes.bradley_terry,
        ),
        Method(
            "davidson",
            gettext_lazy("Davidson: ties of their own"),
            gettext_lazy(
                "As Bradley-Terry, but a tie is an outcome of its own: the closer two models are, the likelier,"
                " by one number for the whole board. Points tell the odds among votes that see a difference, so"
                " they lie further apart than the board’s. It takes for granted that the inclination to call a tie"
                " is the same for every pair and every person."
            ),
            gettext_lazy("Some ties, and some votes that are none."),
            _no_ties,
            votes.davidson,
        ),
        Method(
            "graded",
            gettext_lazy("Graded preferences"),
            gettext_lazy(
                "Much better says more than slightly better. Each model has a strength, and the grade that a"
                " person gives falls between cuts that are the same for everybody and for either side. It takes"
                " for granted that people mean the same by the grades; where they do not, the order may be right"
                " and the gaps are not."
            ),
            gettext_lazy("Votes that also say by how much."),
            _no_grades,
            votes.ordinal,
        ),
        Method(
            "worth",
            gettext_lazy("Worth: what people would pay"),
            gettext_lazy(
                "A model is worth what people would pay to have its answer in place of another’s. Where scales"
                " can be told, people count equally and 1 is a person’s own average amount. It takes for granted"
                " that amounts mean what they say, and that a few large ones are no mistakes: they may decide the"
                " order."
            ),
            gettext_lazy("Amounts: the campaign asks what the better answer is worth."),
            _no_worth,
            asked.worth,
        ),
        Method(
            "outside-option",
            gettext_lazy("Outside option: would it be taken at all"),
            gettext_lazy(
                "Neither is one more choice beside the two answers. A model’s number is the chance that its"
                " answer alone would be taken rather than nothing: a level, not only an order. It takes for"
                " granted that leaving both depends on the two models alone, and not on how the prompt fell."
            ),
            gettext_lazy("Votes that also say of both answers whether they are acceptable."),
            _no_level,
            asked.outside_option,
        ),
        Method(
            "cyclic",
            gettext_lazy("Circles, and the lottery nobody beats"),
            gettext_lazy(
                "Preferences may go in circles: one beats two, two beats three, three beats one. Then no order is"
                " what most people said, and instead of a first place there is a lottery: the mix of models over"
                " which no model is preferred on average. Without circles it is all on the one that beats"
                " everybody. Circles are looked for with votes that the fit has not seen, and believed only if"
                " they foretell those better."
            ),
            gettext_lazy("Three models or more that met, and five votes for each."),
            _no_circles,
            cycles.cyclic,
        ),
        Method(
            "max-min-groups",
            gettext_lazy("Groups of people: the least regret"),
            gettext_lazy(
                "Each group of people has a board of its own. First stands the model that no group has far below"
                " its own favourite, whatever the size of the group. It takes for granted that points mean the"
                " same in all groups, and that groups saw prompts of the same kind: else it is the prompts that"
                " differ. Whether groups differ at all is tested by letting people change groups at random with"
                " all their votes."
            ),
            gettext_lazy("Two groups, each with enough people and votes."),
            _no_groups,
            parts.max_min,
        ),
        Method(
            "categories",
            gettext_lazy("Orders of all categories together"),
            gettext_lazy(
                "Each category of prompts gives one order, and each order counts the same, however many votes"
                " stand behind it. Kemeny’s is the order that disagrees with all of them about the fewest pairs;"
                " Borda’s the share of others that a model stands above on average. It takes for granted that"
                " categories matter equally, and it does not look at how firm each order is."
            ),
            gettext_lazy("Two categories of prompts with 100 votes each."),
            _no_slices,
            parts.slices,
        ),
    )
}
