"""Ranking arithmetic: index arrays in, frozen results out.

Numpy and scipy alone; no clock, no global random state. Import from here, never from the submodules.

>>> import numpy as np
>>> from ranking import Comparisons, fit_bradley_terry
>>> votes = Comparisons(a=np.array([0, 1, 0]), b=np.array([1, 2, 2]), outcome=np.array([1, 0.5, 1]), count=3)
>>> fit_bradley_terry(votes).to_points().points.round()
array([1275.,  863.,  863.])
"""

from .agreement.annotators import RetestAgreement, SideBias, gold_accuracy, retest_agreement, side_bias
from .agreement.coefficients import Measurement, fleiss_kappa, gwet_ac1, krippendorff_alpha
from .agreement.drift import AnnotatorDrift, annotator_drift
from .agreement.judgments import ItemJudgments
from .agreement.kappa import Credit, Kappa, PairwiseKappa, cohen_kappa, contingency, pairwise_kappa
from .agreement.likeness import Likeness, likeness
from .agreement.profiles import AgreementEstimate
from .anchors import AnchorScales, anchor_scales
from .annotators.clarity import ScaleFit, fit_scale
from .annotators.group_count import choose_group_count
from .annotators.group_difference import GroupDifference, group_difference
from .annotators.magnitudes import MagnitudeFit, fit_magnitudes
from .annotators.mixture import MaxMinBoard, MixtureFit, fit_mixture, max_min_board
from .annotators.reliability import CrowdFit, fit_crowd
from .answers import Answers
from .arrays import Bools, Floats, Ints
from .bounded_worth import BoundedWorthFit, censored_at, fit_bounded_worth
from .bradley_terry import (
    BOARD_PRIOR,
    PROVISIONAL_BELOW,
    BradleyTerryFit,
    bradley_terry_strengths,
    fit_bradley_terry,
)
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .covariates.adjustment import Adjustment, Effects
from .covariates.design import Side
from .covariates.fit import AdjustedFit, fit_with_covariates
from .covariates.responses import Response
from .covariates.side import Leanings
from .cyclic import CyclicFit, fit_cyclic
from .cyclic_choice import choose_cyclic_rank
from .davidson import DavidsonFit, fit_davidson
from .errors import (
    BadAmount,
    BadCovariate,
    BadOutcome,
    BadParameter,
    BadProbability,
    BadValue,
    BadWeight,
    EmptyGroup,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    NoLevel,
    NoOverlap,
    NotConnected,
    NoTies,
    NotStronglyConnected,
    NoVariation,
    OnlyTies,
    RankingError,
    ShapeMismatch,
    SingleContestant,
    TooFewAnswers,
    TooFewCandidates,
    TooFewClusters,
    UnknownIndex,
    UnmetPairs,
)
from .gauge import Gauge
from .grade_counts import GradeCounts, count_grades
from .held_out import HeldOut
from .items import Difficulties, ItemFit, fit_items
from .online.elo import EloRatings, rate_elo
from .online.glicko2 import Glicko2Ratings, rate_glicko2
from .online.live import LiveRatings
from .online.live_counts import LiveCounts
from .orders.kemeny import KemenyOrder, kemeny
from .orders.lottery import Lottery, Payoff, exploitability, maximal_lottery
from .orders.majorities import Majorities, majorities
from .orders.scores import OrderScores, borda, copeland, minimax
from .orders.tournament import Absent, Tournament, tournament, tournament_of_ranks
from .ordinal import OrdinalFit, RaoKupperFit, fit_ordinal, fit_rao_kupper
from .outside_option import OutsideOptionFit, fit_outside_option
from .pair_effect_fit import PairEffectFit, fit_pair_effects
from .pair_effects import (
    EmpiricalBayes,
    PairWeights,
    empirical_bayes_variance,
    overdispersion,
    pair_weights,
    posterior_mode,
)
from .plackett_luce import PlackettLuceFit, fit_plackett_luce
from .posterior import WaldTest, probability_above, probability_best, wald_test
from .priors import NormalPrior, Prior, VirtualTie
from .proportions import Shares, WinRates, acceptability, wilson, win_rates
from .rankings import Rankings
from .ranks import Family, RankRanges, rank_ranges
from .scored import Scored, ScoreFit, fit_scores
from .selection.answered import Answered
from .selection.audit import SelectionAudit, WeightedBorda, audit_selection, weighted_borda
from .selection.choice import Candidates, Choice, Policy, generator, random_order
from .selection.formats import AmountFormat, AnswerFormat, GradeFormat, VoteFormat, logged_format
from .selection.learned import (
    ArenaRulePolicy,
    BalancedPolicy,
    DOptimalPolicy,
    LearnedPolicy,
    RobustPolicy,
    certification_policy,
)
from .selection.pairs import PairDistribution
from .selection.saved import VotesSaved, votes_saved
from .selection.sets import (
    DrawnSet,
    SetChoice,
    chance_of_none,
    choose_capped_set,
    choose_set,
    draw_set,
    set_probability,
)
from .selection.state import SelectionState
from .selection.thompson import BestFound, DoubleThompsonPolicy, best_found
from .selection.training_pairs import (
    RewardFit,
    TrainingBatch,
    choose_training_pairs,
    fit_reward,
    k_centre,
    near_duplicates,
)
from .selection.uniform import UniformPolicy, uniform_pair
from .strengths import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    Clustering,
    Covariance,
    Evidence,
    Note,
    Ratings,
    StrengthFit,
)
from .two_orders import Disagreement, OrdersCompared, Places, Target, Verdict, answers_needed, compare_orders
from .uncertainty.bootstrap import Bootstrap, Refit, bootstrap_bradley_terry
from .uncertainty.influence import DecisiveVotes, fewest_votes_for_first
from .uncertainty.planning import VotesNeeded, minimal_detectable_gap, votes_needed
from .uncertainty.sequences import (
    PairSequence,
    always_valid_margin,
    pair_sequence,
    separating_variance,
    watched_ranges,
)
from .worth import Estimand, WorthFit, WorthIntervals, fit_worth
from .worth_sensitivity import WorthSensitivity, worth_sensitivity

__all__ = [
    "BOARD_PRIOR",
    "POINTS_AT_ZERO",
    "POINTS_PER_LOGIT",
    "PROVISIONAL_BELOW",
    "Absent",
    "AdjustedFit",
    "Adjustment",
    "AgreementEstimate",
    "AmountFormat",
    "AnchorScales",
    "AnnotatorDrift",
    "AnswerFormat",
    "Answered",
    "Answers",
    "ArenaRulePolicy",
    "BadAmount",
    "BadCovariate",
    "BadOutcome",
    "BadParameter",
    "BadProbability",
    "BadValue",
    "BadWeight",
    "BalancedPolicy",
    "BestFound",
    "Bools",
    "Bootstrap",
    "BothBad",
    "BoundedWorthFit",
    "BradleyTerryFit",
    "Candidates",
    "Choice",
    "Clustering",
    "Comparisons",
    "Counts",
    "Covariance",
    "Credit",
    "CrowdFit",
    "CyclicFit",
    "DOptimalPolicy",
    "DavidsonFit",
    "DecisiveVotes",
    "Difficulties",
    "Disagreement",
    "DoubleThompsonPolicy",
    "DrawnSet",
    "Effects",
    "EloRatings",
    "EmpiricalBayes",
    "EmptyGroup",
    "Estimand",
    "Evidence",
    "Family",
    "Floats",
    "Gauge",
    "Glicko2Ratings",
    "GradeCounts",
    "GradeFormat",
    "GroupDifference",
    "HeldOut",
    "Ints",
    "ItemFit",
    "ItemJudgments",
    "Kappa",
    "KemenyOrder",
    "Leanings",
    "LearnedPolicy",
    "Likeness",
    "LiveCounts",
    "LiveRatings",
    "Lottery",
    "MagnitudeFit",
    "Majorities",
    "MaxMinBoard",
    "Measurement",
    "MissingLabels",
    "MixtureFit",
    "NoComparisons",
    "NoConvergence",
    "NoLevel",
    "NoOverlap",
    "NoTies",
    "NoVariation",
    "NormalPrior",
    "NotConnected",
    "NotStronglyConnected",
    "Note",
    "OnlyTies",
    "OrderScores",
    "OrdersCompared",
    "OrdinalFit",
    "OutsideOptionFit",
    "PairDistribution",
    "PairEffectFit",
    "PairSequence",
    "PairWeights",
    "PairwiseKappa",
    "Payoff",
    "Places",
    "PlackettLuceFit",
    "Policy",
    "Prior",
    "RankRanges",
    "RankingError",
    "Rankings",
    "RaoKupperFit",
    "Ratings",
    "Refit",
    "Response",
    "RetestAgreement",
    "RewardFit",
    "RobustPolicy",
    "ScaleFit",
    "ScoreFit",
    "Scored",
    "SelectionAudit",
    "SelectionState",
    "SetChoice",
    "ShapeMismatch",
    "Shares",
    "Side",
    "SideBias",
    "SingleContestant",
    "StrengthFit",
    "Target",
    "TooFewAnswers",
    "TooFewCandidates",
    "TooFewClusters",
    "Tournament",
    "TrainingBatch",
    "UniformPolicy",
    "UnknownIndex",
    "UnmetPairs",
    "Verdict",
    "VirtualTie",
    "VoteFormat",
    "VotesNeeded",
    "VotesSaved",
    "WaldTest",
    "WeightedBorda",
    "WinRates",
    "WorthFit",
    "WorthIntervals",
    "WorthSensitivity",
    "acceptability",
    "always_valid_margin",
    "anchor_scales",
    "annotator_drift",
    "answers_needed",
    "audit_selection",
    "best_found",
    "bootstrap_bradley_terry",
    "borda",
    "bradley_terry_strengths",
    "censored_at",
    "certification_policy",
    "chance_of_none",
    "choose_capped_set",
    "choose_cyclic_rank",
    "choose_group_count",
    "choose_set",
    "choose_training_pairs",
    "cohen_kappa",
    "compare_orders",
    "contingency",
    "copeland",
    "count_grades",
    "count_matrix",
    "draw_set",
    "empirical_bayes_variance",
    "exploitability",
    "fewest_votes_for_first",
    "fit_bounded_worth",
    "fit_bradley_terry",
    "fit_crowd",
    "fit_cyclic",
    "fit_davidson",
    "fit_items",
    "fit_magnitudes",
    "fit_mixture",
    "fit_ordinal",
    "fit_outside_option",
    "fit_pair_effects",
    "fit_plackett_luce",
    "fit_rao_kupper",
    "fit_reward",
    "fit_scale",
    "fit_scores",
    "fit_with_covariates",
    "fit_worth",
    "fleiss_kappa",
    "generator",
    "gold_accuracy",
    "group_difference",
    "gwet_ac1",
    "k_centre",
    "kemeny",
    "krippendorff_alpha",
    "likeness",
    "logged_format",
    "majorities",
    "max_min_board",
    "maximal_lottery",
    "minimal_detectable_gap",
    "minimax",
    "near_duplicates",
    "overdispersion",
    "pair_sequence",
    "pair_weights",
    "pairwise_kappa",
    "posterior_mode",
    "probability_above",
    "probability_best",
    "random_order",
    "rank_ranges",
    "rate_elo",
    "rate_glicko2",
    "retest_agreement",
    "separating_variance",
    "set_probability",
    "side_bias",
    "tournament",
    "tournament_of_ranks",
    "uniform_pair",
    "votes_needed",
    "votes_saved",
    "wald_test",
    "watched_ranges",
    "weighted_borda",
    "wilson",
    "win_rates",
    "worth_sensitivity",
]
