from dataclasses import dataclass
from typing import Any

from annotation.enums import Design, OrderDesign
from annotation.models import Assignment, Campaign, Impression, Instrument, LeaderboardSnapshot, Respondent
from annotation.queries import asking_shares
from annotation.queries.orders import orders_shown
from annotation.selection.draws import (
    OrderDraw,
    draw_balanced_order,
    draw_order,
    draw_questions,
    new_seed,
    times_in_place,
)
from foundation.database import advisory_lock


@dataclass(frozen=True)
class PairChoice:
    """How the item's contestants came together: `design` drawn with its exact probability, or assigned or chosen."""

    design: str
    probability: float | None = None
    policy: str = ""
    policy_version: str = ""
    parameters: dict[str, Any] | None = None
    candidate_count: int | None = None
    candidate_digest: str = ""
    outstanding: int | None = None
    floor: bool | None = None
    snapshot: LeaderboardSnapshot | None = None


ASSIGNED_PAIR = PairChoice(design=Design.ASSIGNED)


def show_item(
    *,
    campaign: Campaign,
    instrument: Instrument,
    item_id: int,
    responses: int,
    respondent: Respondent,
    assignment: Assignment | None,
    prompt_design: str,
    p_prompt: float | None = None,
    pair: PairChoice = ASSIGNED_PAIR,
    seed: int | None = None,
    as_written: bool = False,
) -> Impression:
    """Draw the order and the questions from one seed and write the impression, in the caller's transaction. With
    `as_written` the item's own order is shown: its explanation names sides.

    Every showing is written before anybody sees it, so that what is left without an answer is known too.
    """
    seed = new_seed() if seed is None else seed
    sides: OrderDraw | None = None
    parameters: dict[str, Any] = {}
    if not as_written:
        sides, parameters = _draw_sides(campaign, item_id, responses, assignment, seed)
    asked = draw_questions(asking_shares(instrument.pk), seed=seed)
    return Impression.objects.create(
        campaign=campaign,
        item_id=item_id,
        respondent=respondent,
        assignment=assignment,
        instrument=instrument,
        guidelines_id=campaign.guidelines_id,
        order=sides.order if sides else list(range(responses)),
        questions_asked=asked.names,
        policy=pair.policy,
        policy_version=pair.policy_version,
        parameters=(pair.parameters or {}) | parameters,
        snapshot=pair.snapshot,
        candidate_count=pair.candidate_count,
        candidate_digest=pair.candidate_digest,
        outstanding=pair.outstanding,
        floor=pair.floor,
        seed=seed,
        pair_design=pair.design,
        p_pair=pair.probability,
        side_design=Design.DRAWN if sides else Design.ASSIGNED,
        p_side=sides.probability if sides else None,
        prompt_design=prompt_design,
        p_prompt=p_prompt,
        questions_design=Design.ASSIGNED if asked.probability is None else Design.DRAWN,
        p_questions=asked.probability,
    )


def _draw_sides(
    campaign: Campaign, item_id: int, responses: int, assignment: Assignment | None, seed: int
) -> tuple[OrderDraw, dict[str, Any]]:
    """The order, and what it hung on besides the seed."""
    if campaign.order_design != OrderDesign.BALANCED or assignment is None:
        return draw_order(responses, seed=seed), {}
    # Two showings at once would both be the first.
    with advisory_lock(f"annotation.orders:{item_id}"):
        pass  # held until the transaction ends
    times = times_in_place(orders_shown(item_id, besides=assignment.pk, responses=responses), responses)
    return draw_balanced_order(times, seed=seed), {"times_in_place": times}
