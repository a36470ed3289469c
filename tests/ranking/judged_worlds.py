"""Items with a truth, judged by people who know it as often as is said, and guess evenly otherwise."""

import numpy as np

from ranking import ItemJudgments


def judged_items(
    rng: np.random.Generator, *, right: np.ndarray, items: int, each: int, values: int, hard: float = 0.0
) -> ItemJudgments:
    """`each` of the people judge an item, as evenly as it goes. A share `hard` of the items nobody knows."""
    count = len(right)
    turns = -(-items * each // count) + 1
    # Person after person in a new order each turn, so that no item meets anybody twice but where two turns meet.
    who = np.concatenate([rng.permutation(count) for _turn in range(turns)])
    item = np.repeat(np.arange(items), each)
    who = who[: len(item)]
    _visits, first = np.unique(item * count + who, return_index=True)
    item, who = item[np.sort(first)], who[np.sort(first)]
    truth, is_hard = rng.integers(0, values, items), rng.random(items) < hard
    knows = (rng.random(len(item)) < right[who]) & ~is_hard[item]
    value = np.where(knows, truth[item], rng.integers(0, values, len(item)))
    return ItemJudgments(item=item, annotator=who, value=value.astype(np.float64), annotators=count)
