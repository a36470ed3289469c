from dataclasses import dataclass
from typing import Any

from annotation.enums import Design
from annotation.models import Assignment, Campaign, Impression, Instrument, Item, LeaderboardSnapshot, Respondent
from annotation.selection.draws import draw_order, draw_questions, new_seed


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
    item: Item,
    responses: int,
    respondent: Respondent,
    assignment: Assignment | None,
    prompt_design: str,
    pair: PairChoice = ASSIGNED_PAIR,
    seed: int | None = None,
) -> Impression:
    """Draw the order and the questions from one seed and write the impression, in the caller's transaction.

    Every showing is written before anybody sees it, so that what is left without an answer is known too.
    """
    seed = new_seed() if seed is None else seed
    sides = draw_order(responses, seed=seed)
    asked = draw_questions([(q.name, q.ask_probability) for q in instrument.questions.all()], seed=seed)
    return Impression.objects.create(
        campaign=campaign,
        item=item,
        respondent=respondent,
        assignment=assignment,
        instrument=instrument,
        guidelines_id=campaign.guidelines_id,
        order=sides.order,
        questions_asked=asked.names,
        policy=pair.policy,
        policy_version=pair.policy_version,
        parameters=pair.parameters or {},
        snapshot=pair.snapshot,
        candidate_count=pair.candidate_count,
        candidate_digest=pair.candidate_digest,
        outstanding=pair.outstanding,
        floor=pair.floor,
        seed=seed,
        pair_design=pair.design,
        p_pair=pair.probability,
        side_design=Design.DRAWN,
        p_side=sides.probability,
        prompt_design=prompt_design,
        questions_design=Design.ASSIGNED if asked.probability is None else Design.DRAWN,
        p_questions=asked.probability,
    )
