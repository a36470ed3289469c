"""Worked examples from the literature, as printed."""

from __future__ import annotations

import numpy as np

from ranking import Comparisons, Counts, Floats

# Davidson 1970, JASA 65, table 1: six brands of chocolate pudding; i, j, times i preferred, times j, no preference.
PUDDING_PAIRS = (
    (1, 2, 19, 22, 16),
    (1, 3, 16, 19, 12),
    (2, 3, 19, 19, 10),
    (1, 4, 18, 23, 13),
    (2, 4, 23, 19, 9),
    (3, 4, 19, 20, 15),
    (1, 5, 13, 19, 18),
    (2, 5, 16, 20, 12),
    (3, 5, 16, 15, 17),
    (4, 5, 17, 14, 16),
    (1, 6, 18, 21, 12),
    (2, 6, 22, 20, 12),
    (3, 6, 13, 18, 10),
    (4, 6, 14, 19, 18),
    (5, 6, 11, 21, 12),
)

# What several programs agree on for these counts (brand 1 to 6, mean 1000): ties as half a win.
PUDDING_POINTS = (977.6757, 1005.5242, 997.0180, 999.8213, 994.6010, 1025.3599)
PUDDING_SANDWICH = (15.3963, 15.8987, 16.0566, 15.3485, 15.5074, 16.0414)
PUDDING_HESSIAN = (18.0600, 18.0543, 18.7971, 18.0826, 18.8306, 18.7444)
PUDDING_LOG_LIKELIHOOD = -514.908655970196
# Davidson 1970, section 4, reports ν = .747; to more figures by the R package PlackettLuce 0.4.
PUDDING_NU = 0.7468229876542894
PUDDING_DAVIDSON_POINTS = (969.3283, 1007.5882, 995.9032, 999.7540, 992.5830, 1034.8433)
PUDDING_DAVIDSON_LOG_LIKELIHOOD = -809.7095100902874
# Rao and Kupper's model of the same counts, as several programs agree: the cut between a tie and a preference.
PUDDING_ETA = 0.5587338304034369
PUDDING_RAO_KUPPER_LOG_LIKELIHOOD = -809.6971334885841
# One pass at K = 4 over the rows of `pudding_votes`.
PUDDING_ELO = (964.013, 991.117, 993.802, 1006.727, 1000.317, 1044.025)

# Agresti 2002, "Categorical data analysis", 2nd edition, table 10.10: American League East, 1987. Home team's
# wins and losses against each other team, in this order.
BASEBALL_TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL_HOME = (
    ((0, 0), (4, 3), (4, 2), (4, 3), (6, 1), (4, 2), (6, 0)),
    ((3, 3), (0, 0), (4, 2), (4, 3), (6, 0), (6, 1), (4, 3)),
    ((2, 5), (4, 3), (0, 0), (2, 4), (4, 3), (4, 2), (6, 0)),
    ((3, 3), (5, 1), (2, 5), (0, 0), (4, 3), (4, 2), (6, 1)),
    ((5, 1), (2, 5), (3, 3), (4, 2), (0, 0), (5, 2), (6, 0)),
    ((2, 5), (3, 3), (3, 4), (4, 3), (4, 2), (0, 0), (2, 4)),
    ((2, 5), (1, 5), (1, 6), (2, 4), (1, 6), (3, 4), (0, 0)),
)
# Table 10.11, column 3, with Baltimore at zero; "standard errors of about 0.3".
BASEBALL_STRENGTHS = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.00)


def pudding_votes() -> Comparisons:
    """One row per taster, in the order of the table: preferences for i, for j, ties."""
    rows = [
        (i - 1, j - 1, outcome)
        for i, j, *counts in PUDDING_PAIRS
        for outcome, count in zip((1.0, 0.0, 0.5), counts, strict=True)
        for _ in range(count)
    ]
    a, b, outcome = (np.array(column) for column in zip(*rows, strict=True))
    return Comparisons(a=a, b=b, outcome=outcome, count=6)


def baseball_counts() -> Counts:
    home = np.array(BASEBALL_HOME, dtype=float)
    return Counts.of(home[:, :, 0] + home[:, :, 1].T)


def array(values: tuple[float, ...]) -> Floats:
    return np.array(values)
