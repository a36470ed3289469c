"""A part of a board beside its whole: ranks of both, who moves, and never more than is certain."""

import numpy as np
import pytest

from annotation.boards.beside import Beside, Place, set_beside


def standings(*entries, provisional=()):
    """Each is a contestant's id, rating, and the ranks that are left open."""
    return {
        "entries": [
            {
                "contestant": pk,
                "model": f"m{pk}",
                "rating": rating,
                "rank_low": low,
                "rank_high": high,
                "group": 1,
                "provisional": pk in provisional,
            }
            for pk, rating, low, high in entries
        ]
    }


def test_a_model_moves_where_no_rank_is_left_open_by_both_boards():
    whole = standings((1, 1200.0, 1, 1), (2, 1100.0, 2, 3), (3, 1000.0, 2, 3), (4, 900.0, 4, 4))
    part = standings((4, 1300.0, 1, 2), (2, 1250.0, 1, 2), (1, 1000.0, 3, 4), (3, 990.0, 3, 4), provisional={3})
    rows = set_beside(part, whole)
    assert rows[0] == Beside(4, "m4", Place(1, 2), Place(4, 4), is_provisional=False)
    assert [(row.contestant, row.moves, row.is_provisional) for row in rows] == [
        (4, "up", False),
        (2, "", False),
        (1, "down", False),
        (3, "", True),
    ]
    assert (str(rows[0].part), str(rows[0].whole)) == ("1–2", "4")


def test_boards_whose_models_are_not_all_joined_are_not_set_beside():
    whole = standings((1, 1200.0, 1, 1), (2, 1100.0, 2, 2))
    apart = standings((1, 1200.0, 1, 1), (2, 1100.0, 1, 1))
    apart["entries"][1]["group"] = 2
    assert set_beside(apart, whole) is None
    assert set_beside(whole, apart) is None
    assert set_beside({"entries": []}, whole) is None


def ranges(strength, margin, chosen):
    """Ranks among those chosen, by the same differences."""
    above = (strength[:, None] - strength[None, :] > margin)[np.ix_(chosen, chosen)]
    return [(1 + above[:, i].sum(), len(chosen) - above[i].sum()) for i in range(len(chosen))]


@pytest.mark.parametrize("seed", range(20))
def test_ranks_without_those_on_one_board_alone_lie_within_what_is_shown(seed):
    """Against ranks that are found anew without them: what is shown may be wider and never narrower."""
    rng = np.random.default_rng(seed)
    strength, margin = rng.normal(size=12), rng.uniform(0.2, 1.5, size=(12, 12))
    margin = (margin + margin.T) / 2
    everybody = ranges(strength, margin, np.arange(12))
    common = np.sort(rng.choice(12, size=7, replace=False))
    whole = standings(*((i, float(strength[i]), *everybody[i]) for i in range(12)))
    part = standings(*((int(i), float(strength[i]), 1, 7) for i in common))
    shown = {row.contestant: row.whole for row in set_beside(part, whole)}
    for i, (low, high) in zip(common, ranges(strength, margin, common), strict=True):
        assert shown[i].low <= low <= high <= shown[i].high
    # What would be shown without taking them off: ranks that seven do not have.
    assert max(high for _low, high in everybody) > 7
