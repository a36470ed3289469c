"""Ranking arithmetic: index arrays in, frozen results out.

Numpy and scipy alone; no clock, no global random state. Import from here, never from the submodules.

>>> import numpy as np
>>> from ranking import Comparisons, fit_bradley_terry
>>> votes = Comparisons(a=np.array([0, 1, 0]), b=np.array([1, 2, 2]), outcome=np.array([1, 0.5, 1]), count=3)
>>> fit_bradley_terry(votes).to_points().points.round()
array([1275.,  863.,  863.])
"""

from .annotators.clarity import ScaleFit, fit_scale
from .annotators.group_count import choose_group_count
from .annotators.mixture import MaxMinBoard, MixtureFit, fit_mixture, max_min_board
from .annotators.reliability import CrowdFit, fit_crowd
from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, BradleyTerryFit, fit_bradley_terry
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .covariates.design import Side
from .covariates.fit import AdjustedFit, Effects, fit_with_covariates
from .covariates.side import Leanings
from .cyclic import CyclicFit, fit_cyclic
from .cyclic_choice import choose_cyclic_rank
from .davidson import DavidsonFit, fit_davidson
from .errors import (
    BadAmount,
    BadCovariate,
    BadOutcome,
    BadParameter,
    BadWeight,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    NotConnected,
    NoTies,
    NotStronglyConnected,
    OnlyTies,
    RankingError,
    ShapeMismatch,
    SingleContestant,
    TooFewAnswers,
    TooFewCandidates,
    TooFewClusters,
    UnknownIndex,
)
from .gauge import Gauge
from .grade_counts import GradeCounts, count_grades
from .held_out import HeldOut
from .items import ItemFit, fit_items
from .online.elo import EloRatings, rate_elo
from .online.glicko2 import Glicko2Ratings, rate_glicko2
from .online.live import LiveRatings
from .online.live_counts import LiveCounts
from .ordinal import OrdinalFit, RaoKupperFit, fit_ordinal, fit_rao_kupper
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
from .selection.choice import Candidates, Choice, Policy, generator, random_order
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
from .worth import Estimand, WorthFit, WorthIntervals, fit_worth

__all__ = [
    "BOARD_PRIOR",
    "POINTS_AT_ZERO",
    "POINTS_PER_LOGIT",
    "PROVISIONAL_BELOW",
    "AdjustedFit",
    "BadAmount",
    "BadCovariate",
    "BadOutcome",
    "BadParameter",
    "BadWeight",
    "Bools",
    "BothBad",
    "BradleyTerryFit",
    "Candidates",
    "Choice",
    "Clustering",
    "Comparisons",
    "Counts",
    "Covariance",
    "CrowdFit",
    "CyclicFit",
    "DavidsonFit",
    "Effects",
    "EloRatings",
    "EmpiricalBayes",
    "Estimand",
    "Evidence",
    "Family",
    "Floats",
    "Gauge",
    "Glicko2Ratings",
    "GradeCounts",
    "HeldOut",
    "Ints",
    "ItemFit",
    "Leanings",
    "LiveCounts",
    "LiveRatings",
    "MaxMinBoard",
    "MissingLabels",
    "MixtureFit",
    "NoComparisons",
    "NoConvergence",
    "NoTies",
    "NormalPrior",
    "NotConnected",
    "NotStronglyConnected",
    "Note",
    "OnlyTies",
    "OrdinalFit",
    "PairWeights",
    "PlackettLuceFit",
    "Policy",
    "Prior",
    "RankRanges",
    "RankingError",
    "Rankings",
    "RaoKupperFit",
    "Ratings",
    "ScaleFit",
    "ShapeMismatch",
    "Shares",
    "Side",
    "SingleContestant",
    "StrengthFit",
    "TooFewAnswers",
    "TooFewCandidates",
    "TooFewClusters",
    "UniformPolicy",
    "UnknownIndex",
    "VirtualTie",
    "WaldTest",
    "WinRates",
    "WorthFit",
    "WorthIntervals",
    "acceptability",
    "choose_cyclic_rank",
    "choose_group_count",
    "count_grades",
    "count_matrix",
    "empirical_bayes_variance",
    "fit_bradley_terry",
    "fit_crowd",
    "fit_cyclic",
    "fit_davidson",
    "fit_items",
    "fit_mixture",
    "fit_ordinal",
    "fit_plackett_luce",
    "fit_rao_kupper",
    "fit_scale",
    "fit_with_covariates",
    "fit_worth",
    "generator",
    "max_min_board",
    "overdispersion",
    "pair_weights",
    "posterior_mode",
    "probability_above",
    "probability_best",
    "random_order",
    "rank_ranges",
    "rate_elo",
    "rate_glicko2",
    "uniform_pair",
    "wald_test",
    "wilson",
    "win_rates",
]
