"""The words for what methods say in keys: why there is no board, what forbids to read it, what its numbers are."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from annotation.boards.wording import NOTES

Words = str | Promise

WHY_NOT: dict[str, Words] = {
    "no_votes": gettext_lazy("No vote compares two models yet."),
    "other_form": gettext_lazy(
        "This board rests on rankings, scores or yes and no, not on votes between two, which this method reads."
    ),
    "too_many": gettext_lazy("There are too many models or votes for this method."),
    "too_few": gettext_lazy("It takes three models that met, and five votes for each."),
    "no_ties": gettext_lazy(
        "It takes some ties and some votes that are none: without ties it says what Bradley-Terry says."
    ),
    "no_strengths": gettext_lazy("No vote says by how much: the campaign does not ask, or nobody answered yet."),
    "no_worth": gettext_lazy("Nobody was asked for an amount."),
    "no_worth_yet": gettext_lazy("Amounts were asked for, but they do not carry a worth for each model yet."),
    "no_acceptable": gettext_lazy("Nobody was asked whether the answers are acceptable."),
    "no_level": gettext_lazy("So far people took something every time, or never: that gives no level yet."),
    "no_groups": gettext_lazy(
        "No group of people can be shown: nobody is in one, or a group, or those outside it, are fewer than 10 people."
    ),
    "small_groups": gettext_lazy("It takes two groups with 100 votes each."),
    "no_categories": gettext_lazy("It takes two categories of prompts with 100 votes each."),
    "one_prompt": gettext_lazy("All votes are about one prompt; an interval needs two."),
    "not_all_met": gettext_lazy("Not all models met each other, and this method needs that."),
    "no_convergence": gettext_lazy("These votes do not pin the method’s numbers down yet."),
    "refused": gettext_lazy("These votes do not carry this method."),
}
WARNINGS: dict[str, Words] = NOTES | {
    "few_votes": gettext_lazy("Fewer than 100 votes: do not read an order out of this."),
    "pairs_misfit": gettext_lazy(
        "Some pairs miss what their strengths foretell by more than chance (ω² is above 0). One number for each model"
        " does not say all; intervals of neighbours are too narrow. See the method of circles, or the boards of"
        " categories."
    ),
    "part_of_votes": gettext_lazy(
        "Not all of the board’s votes could be used: who answered this may differ from the rest."
    ),
    "unused_levels": gettext_lazy("Some grades were never given: the scale is shorter than it was meant."),
    "heavy_tailed": gettext_lazy(
        "A few amounts carry much of the worth (a heavy tail): who is first leads at most, and may change with"
        " few answers."
    ),
    "only_imported_bad": gettext_lazy(
        "Some imported votes say that both were bad without having been asked for each: they are left out."
    ),
    "circles": gettext_lazy(
        "Preferences go in circles, and votes that the fit has not seen confirm it. No single order is what most"
        " people said, the board’s own neither: read the lottery."
    ),
    "no_circles": gettext_lazy(
        "No circles that unseen votes confirm: the lottery says no more than who beats everybody. Read the"
        " board’s order."
    ),
    "groups_differ": gettext_lazy(
        "The groups differ, by more than chance. The board’s one order is nobody’s in particular: read each group’s."
    ),
    "groups_not_told_apart": gettext_lazy(
        "These votes do not tell the groups apart. That is no proof that they agree: with few people only large"
        " differences show."
    ),
    "not_in_all_groups": gettext_lazy("Some models have not been before every group: they are left out here."),
    "slices_part_ways": gettext_lazy(
        "Majorities of categories go in circles: no order agrees with most categories about every pair."
    ),
    "not_exact": gettext_lazy("The nearest order was searched for and may not be the very nearest."),
}
# Those under which the order is not to be read as one; the others say how to read it.
FORBIDS = frozenset({"few_votes", "not_connected", "pairs_misfit", "heavy_tailed", "circles", "groups_differ"})
UNITS: dict[str, Words] = {
    "points": gettext_lazy("Points"),
    "worth": gettext_lazy("Worth"),
    "chance": gettext_lazy("Taken alone"),
    "lottery": gettext_lazy("Share of the lottery"),
    "regret": gettext_lazy("Greatest regret, in points"),
    "borda": gettext_lazy("Stands above others"),
}
# Units that are shares of one.
SHARES = frozenset({"chance", "lottery", "borda"})
SIDES: dict[str, Words] = {
    "above": gettext_lazy("taken more often than not"),
    "below": gettext_lazy("left more often than not"),
    "open": gettext_lazy("open"),
}


@dataclass(frozen=True)
class Diagnostic:
    """`kind` is how the number is shown; `said` what it says, in words for everybody."""

    label: Words
    kind: str
    said: Words


DIAGNOSTICS: dict[str, Diagnostic] = {
    "votes": Diagnostic(gettext_lazy("Votes"), "count", gettext_lazy("What this method read of the snapshot’s votes.")),
    "answers": Diagnostic(
        gettext_lazy("Answers"), "count", gettext_lazy("What this method read of the snapshot’s votes.")
    ),
    "people": Diagnostic(
        gettext_lazy("People"),
        "count",
        gettext_lazy("Under 20 the result holds for these people, not for others like them."),
    ),
    "parts": Diagnostic(
        gettext_lazy("Groups of models that met"),
        "count",
        gettext_lazy("1 says that all are connected, so that one scale holds for all."),
    ),
    "log_likelihood": Diagnostic(
        gettext_lazy("Fit: log-likelihood of a vote"),
        "number",
        gettext_lazy("Nearer to 0 foretells votes better; a coin says −0.69 of a vote that sees a difference."),
    ),
    "omega": Diagnostic(
        gettext_lazy("Misfit of pairs ω²"),
        "number",
        gettext_lazy(
            "0: pairs vary as chance lets them. Above: some pairs have something of their own beside strengths."
        ),
    ),
    "tie_chance": Diagnostic(
        gettext_lazy("Chance of a tie between equals"), "percent", gettext_lazy("ν / (2 + ν), what this method adds.")
    ),
    "nu": Diagnostic(
        gettext_lazy("Prevalence of ties ν"), "number", gettext_lazy("0 would say that nobody calls a tie.")
    ),
    "nu_lower": Diagnostic(gettext_lazy("ν at least"), "number", gettext_lazy("The lower end of its 95 % interval.")),
    "nu_upper": Diagnostic(gettext_lazy("ν at most"), "number", gettext_lazy("The upper end of its 95 % interval.")),
    "levels": Diagnostic(gettext_lazy("Grades on either side"), "count", gettext_lazy("As the question offered them.")),
    "cuts": Diagnostic(
        gettext_lazy("Cuts in use"), "count", gettext_lazy("Fewer than grades: the highest were never given.")
    ),
    "graded_share": Diagnostic(
        gettext_lazy("Votes with a grade"), "percent", gettext_lazy("Of those that the board is ordered by.")
    ),
    "response_rate": Diagnostic(
        gettext_lazy("Answered for an amount"),
        "percent",
        gettext_lazy("Of those who were asked; the rest is not in the worths."),
    ),
    "tail_share": Diagnostic(
        gettext_lazy("Carried by the top 1 % of amounts"),
        "percent",
        gettext_lazy("Above 15 % the intervals are too narrow, and the first place is none to rely on."),
    ),
    "neither_share": Diagnostic(
        gettext_lazy("Neither was acceptable"), "percent", gettext_lazy("Of the answers that were asked for both.")
    ),
    "held_out_gain": Diagnostic(
        gettext_lazy("Cyclicity: gain on unseen votes"),
        "small",
        gettext_lazy(
            "How much better circles foretell a vote that the fit has not seen, in nats; below 0 they do worse."
        ),
    ),
    "held_out_error": Diagnostic(
        gettext_lazy("Standard error of the gain"), "small", gettext_lazy("A gain counts from two of these on.")
    ),
    "circular_terms": Diagnostic(
        gettext_lazy("Circular terms fitted"),
        "count",
        gettext_lazy("0: unseen votes speak for none, this is Bradley-Terry."),
    ),
    "smith": Diagnostic(
        gettext_lazy("Models that no others beat"),
        "count",
        gettext_lazy("The smallest set whose members beat everybody outside it. 1 is a clear winner."),
    ),
    "groups": Diagnostic(gettext_lazy("Groups of people"), "count", gettext_lazy("Those large enough to be shown.")),
    "likelihood_ratio": Diagnostic(
        gettext_lazy("Likelihood ratio, groups apart against together"),
        "number",
        gettext_lazy("What the test goes by; it has no meaning without the shuffles below."),
    ),
    "p_value": Diagnostic(
        gettext_lazy("Chance of as much among equal groups"),
        "small",
        gettext_lazy("At most .05 is called a difference."),
    ),
    "shuffles": Diagnostic(
        gettext_lazy("Shuffles"), "count", gettext_lazy("How often people changed groups with all their votes.")
    ),
    "slices": Diagnostic(
        gettext_lazy("Categories"), "count", gettext_lazy("Those with 100 votes or more, at most 12.")
    ),
    "kemeny_agreement": Diagnostic(
        gettext_lazy("Agreement with the categories"),
        "percent",
        gettext_lazy("Of all pairs in all categories, those that this order puts as the category does."),
    ),
    "largest_knot": Diagnostic(
        gettext_lazy("Models that majorities leave unordered"),
        "count",
        gettext_lazy("1: none; majorities give an order."),
    ),
}
