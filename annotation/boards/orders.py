"""The order by votes beside the order by worth, from exactly the rows that were asked for both.

The rule is that of `ranking.compare_orders`: same rows, same weights, same draws. People's units and money are two
estimands and two fits, never one number; each is said of these prompts and of prompts like these.
"""

from typing import Any

import numpy as np

from annotation.boards.bounded import LEVEL
from annotation.boards.worth import AT_THE_BOUND, MIN_ANSWERS, MOST_AT_BOUND, REASONS
from annotation.ratings import TIE, A, B, Bools, PairRows
from ranking import Comparisons, Disagreement, Estimand, OrdersCompared, Target, Verdict, compare_orders, generator

# A share of draws near .95 then errs by .01, and a board of 20 models and 20,000 answers takes seconds.
DRAWS = 500
# Four fits beyond these would hold back the board itself.
MOST_CONTESTANTS, MOST_ANSWERS = 100, 30_000
TOO_MANY, ONLY_BOUNDS, NOT_ASKED = "too_many", "only_bounds", "not_both_asked"


def orders_of(pairs: PairRows, seed: int) -> dict[str, Any] | None:
    """Four fits, each with both orders and the pairs about which they part; None where nobody was asked for both."""
    rows = _asked_for_both(pairs)
    bounded = ~np.isnan(pairs.amount_low)
    if not rows.any() and not bounded.any():
        return None
    asked = rows & (pairs.preference != TIE)
    at_bound = float(pairs.at_bound[asked].mean()) if asked.any() else 0.0
    block = {
        "draws": DRAWS,
        "level": LEVEL,
        "answers": int(rows.sum()),
        "incentive": pairs.incentive,
        "at_bound_share": at_bound,
        "notes": [AT_THE_BOUND] * (at_bound > MOST_AT_BOUND),
        "reason": _refused(pairs, rows, bounded),
        "fits": [],
    }
    if block["reason"] is None:
        fits = [(estimand, target) for estimand in Estimand for target in (Target.LIKE_THESE, Target.THESE_PROMPTS)]
        block["fits"] = [_fit(pairs, rows, seed, estimand, target, at_bound) for estimand, target in fits]
    return block


def _asked_for_both(pairs: PairRows) -> Bools:
    preferred = np.isin(pairs.preference, (A, B, TIE))
    return np.asarray(preferred & np.isfinite(pairs.amount) & (pairs.a != pairs.b))


def _refused(pairs: PairRows, rows: Bools, bounded: Bools) -> str | None:
    if bounded.any():
        return ONLY_BOUNDS
    if not (rows & ~pairs.is_anchor).any():
        return NOT_ASKED
    models = len(np.union1d(pairs.a[rows], pairs.b[rows]))
    return TOO_MANY if models > MOST_CONTESTANTS or rows.sum() > MOST_ANSWERS else None


def _fit(
    pairs: PairRows, rows: Bools, seed: int, estimand: Estimand, target: Target, at_bound: float
) -> dict[str, Any]:
    chosen = pairs.amounts().select(rows[np.isfinite(pairs.amount)])
    said: dict[str, Any] = {"estimand": estimand.value, "target": target.value, "reason": None}
    try:
        both = _compared(chosen, pairs.is_anchor[rows], seed, estimand, target)
    except tuple(REASONS) as refused:
        return said | {"reason": REASONS[type(refused)], "entries": [], "pairs": [], "nearest": None}
    censored = at_bound > MOST_AT_BOUND
    found = [_pair(one, pairs, rows, censored) for one in both.disagreements]
    return said | {
        "answers": both.answers,
        "people": both.clustering.annotators,
        "covariance": both.clustering.kind.value,
        "heavy_tailed": both.heavy_tailed,
        "tail_share": both.tail_share,
        "entries": _entries(both, pairs),
        "pairs": found,
        "nearest": None if any(one["verdict"] == Verdict.ESTABLISHED for one in found) else _nearest(both, pairs),
    }


def _compared(chosen: Comparisons, anchors: Bools, seed: int, estimand: Estimand, target: Target) -> OrdersCompared:
    return compare_orders(
        chosen,
        rng=generator(seed),
        target=target,
        estimand=estimand,
        min_answers=MIN_ANSWERS,
        anchors=anchors if anchors.any() else None,
        draws=DRAWS,
    )


def _entries(both: OrdersCompared, pairs: PairRows) -> list[dict[str, Any]]:
    orders = {"votes": both.by_votes(LEVEL), "worth": both.by_worth(LEVEL)}
    return [
        {"contestant": pairs.contestants[position]}
        | {
            name: {
                "value": float(order.value[position]),
                "lower": float(order.lower[position]),
                "upper": float(order.upper[position]),
                "rank": int(order.rank[position]),
                "rank_low": int(order.rank_low[position]),
                "rank_high": int(order.rank_high[position]),
            }
            for name, order in orders.items()
        }
        for position in np.flatnonzero(np.isfinite(both.worth)).tolist()
    ]


def _pair(found: Disagreement, pairs: PairRows, rows: Bools, censored: bool) -> dict[str, Any]:
    """`wins` is stronger and `worth_more` worth more. Where the truth lies above what could be named, nothing is more
    than likely."""
    prompt, item = pairs.prompt[rows], pairs.item[rows]
    return {
        "wins": pairs.contestants[found.i],
        "worth_more": pairs.contestants[found.j],
        "verdict": (Verdict.LIKELY if censored else found.verdict).value,
        "p_stronger": found.p_stronger,
        "p_worth_less": found.p_worth_less,
        "answers": found.answers,
        "win_share": _number(found.win_share),
        "mean_gain": _number(found.mean_gain),
        "mean_loss": _number(found.mean_loss),
        "amount_against": _number(found.amount_against),
        "prompts_share": _number(found.prompts_share),
        "prompts": [
            {"item": int(item[np.argmax(prompt == label)]) if label >= 0 else None, "amount": amount, "votes": votes}
            for label, amount, votes in zip(found.prompts, found.prompts_against, found.prompts_won, strict=True)
        ],
    }


def _nearest(both: OrdersCompared, pairs: PairRows) -> dict[str, Any] | None:
    """The pair about which the orders part most clearly, and how many answers in all would establish that; None where
    they part about none."""
    sure = np.fmin(both.p_stronger, both.p_worth_more.T)
    parted = (both.strength[:, None] > both.strength[None, :]) & (both.worth[:, None] < both.worth[None, :])
    if not parted.any():
        return None
    i, j = np.unravel_index(np.argmax(np.where(parted, sure, -1.0)), sure.shape)
    needed = both.answers_needed(int(i), int(j))
    return {
        "wins": pairs.contestants[int(i)],
        "worth_more": pairs.contestants[int(j)],
        "answers_needed": _number(needed),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
