"""Kemeny's order: the one that agrees with most of the pairwise preferences.

Kemeny 1959, "Mathematics without numbers", Daedalus 88. NP-hard in general, but an order that respects every
majority between the parts of `strata` is optimal (the extended Condorcet criterion: Truchon 1998, "An extension of
the Condorcet criterion and Kemeny orders"), so only within a part is there anything to search. Parts of up to 16 are
solved by dynamic programming over subsets, hence exactly; larger ones by insertions until none helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..options import checked
from .majorities import strata
from .tournament import Source, tournament

EXACT_UP_TO = 16
LEAST_GAIN = 1e-12


@dataclass(frozen=True, eq=False)
class KemenyOrder:
    """One order without ties; of several equally good ones that with the lower index first where that is free."""

    order: Ints  # (m,) contestants who met somebody, best first
    rank: Ints  # (M,) 1 = best; 0 for who met nobody
    agreement: float  # share of all preference, pairs by weight, that the order agrees with: 1 = no majority overruled
    exact: bool  # False: a local optimum, because a part of more than 16 had no Condorcet order
    largest_part: int  # contestants in the largest part that majorities do not put in order


@checked
def kemeny(source: Source) -> KemenyOrder:
    """The order that maximises Σ weight·share(i over j) over the pairs with i above j.

    Pairs that never met (`Absent.NEITHER`) add nothing. Raises what `tournament` does.
    """
    t = tournament(source)
    present = np.ix_(t.index, t.index)
    margin, weight = t.margin[present], t.weight[present]
    parts = strata(margin)
    gain = weight * margin
    order = np.concatenate([part[_ordered(gain[np.ix_(part, part)])] for part in parts])
    largest = max(len(part) for part in parts)
    above = np.triu(gain[np.ix_(order, order)]).sum()
    rank = np.zeros(len(t.present), dtype=np.int64)
    rank[t.index[order]] = np.arange(1, len(order) + 1)
    return KemenyOrder(
        order=t.index[order],
        rank=rank,
        agreement=float(0.5 + above / weight.sum()),
        exact=largest <= EXACT_UP_TO,
        largest_part=largest,
    )


def _ordered(gain: Floats) -> Ints:
    """(k,) positions, best first, of one part; gain (k, k) antisymmetric."""
    if len(gain) == 1:
        return np.zeros(1, dtype=np.int64)
    return (
        _best_order(gain) if len(gain) <= EXACT_UP_TO else _improved(np.argsort(-gain.sum(axis=1), kind="stable"), gain)
    )


def _best_order(gain: Floats) -> Ints:
    """best(S), the most that the members of S gain among themselves, = max over the last i of best(S - i) + gain(S, i).

    Subsets are bit masks; those of one size need only those of the size below. Memory k·2^k numbers, 8 MB at 16.
    """
    count = len(gain)
    over = np.zeros((count, 1 << count))  # over[i, S] = Σ_{j in S} gain[j, i]
    for j in range(count):
        over[:, 1 << j : 2 << j] = over[:, : 1 << j] + gain[j][:, None]
    subsets = np.arange(1 << count)
    size = np.bitwise_count(subsets)
    best, last = np.zeros(1 << count), np.zeros(1 << count, dtype=np.int64)
    for step in range(1, count + 1):
        chosen = subsets[size == step]
        top = np.full(len(chosen), -np.inf)
        for i in range(count):
            rest = chosen & ~(1 << i)
            value = np.where(rest < chosen, best[rest] + over[i, rest], -np.inf)
            better = value >= top  # on equal terms the higher index comes last
            top[better], last[chosen[better]] = value[better], i
        best[chosen] = top
    order, left = np.zeros(count, dtype=np.int64), (1 << count) - 1
    for place in range(count - 1, -1, -1):
        order[place] = last[left]
        left &= ~(1 << int(last[left]))
    return order


def _improved(order: Ints, gain: Floats) -> Ints:
    """Moves single contestants to their best place until none gains."""
    settled = 0
    while settled < len(order):
        for mover in order.copy():
            others = order[order != mover]
            reached = np.concatenate(([0.0], np.cumsum(gain[mover, others])))
            value = reached[-1] - 2.0 * reached  # at each place: gain over those below less gain over those above
            here = int(np.flatnonzero(order == mover)[0])
            place = int(value.argmax())
            if value[place] > value[here] + LEAST_GAIN:
                order, settled = np.insert(others, place, mover), 0
            else:
                settled += 1
    return order
