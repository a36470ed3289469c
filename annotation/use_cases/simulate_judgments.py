from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction

from annotation.enums import (
    Design,
    ImpressionEnd,
    ItemState,
    RespondentKind,
    SourceKind,
    TurnKind,
)
from annotation.models import (
    Campaign,
    Contestant,
    Impression,
    ImpressionEvent,
    Item,
    Judgment,
    Respondent,
    Response,
    Source,
    Turn,
)
from annotation.queries import instrument_questions
from annotation.questions import Asked, Reading, Situation, read_answers, simulate_answers
from annotation.selection import Candidate, Selection, choose
from annotation.selection.draws import OrderDraw, QuestionsDraw, draw_order, draw_questions
from annotation.use_cases.record_event import record_event

NAME = "Simulated demo judgments"
# Scales of one judgment's utility around a contestant's own, in logits: what the prompt adds, what the person adds.
PROMPT_SPREAD, PERSON_SPREAD = 0.6, 0.8


@dataclass(frozen=True)
class Simulated:
    """One simulated showing and its answer, before it is written."""

    respondent: int
    selection: Selection
    sides: OrderDraw
    asked: QuestionsDraw
    reading: Reading
    seed: int


def simulate_judgments(
    *,
    campaign: Campaign,
    contestants: Sequence[Contestant],
    judgments: int,
    seed: int,
    now: datetime,
    truth: Sequence[float] | None = None,
    respondents: int = 24,
) -> Source:
    """Judgments of people who do not exist, as a source of their own that says so; `seed` fixes every answer.

    Drawn, asked, read and stored as live ones are, but about responses that are absent: no text is invented for a
    model. `truth` gives each contestant's utility in logits (evenly spread over -0.6..0.6 if left out) and is kept
    with the source.
    """
    utilities = np.linspace(0.6, -0.6, len(contestants)) if truth is None else np.asarray(truth, dtype=float)
    rng = np.random.Generator(np.random.PCG64(seed))
    questions = instrument_questions(campaign.instrument_id)
    shares = list(campaign.asks.questions.values_list("name", "ask_probability"))
    by_id = dict(zip((c.pk for c in contestants), utilities, strict=True))
    simulated = [
        _simulate_one(campaign, questions, shares, by_id, rng, respondent=int(rng.integers(respondents)))
        for _ in range(judgments)
    ]
    details = {"seed": seed, "truth": {c.name: float(u) for c, u in zip(contestants, utilities, strict=True)}}
    with transaction.atomic():
        source = Source.objects.create(
            campaign=campaign, kind=SourceKind.SIMULATION, name=NAME, details=details | {"judgments": judgments}
        )
        _write(campaign, source, simulated, respondents, now)
        record_event(subject=source, verb="simulated", actor=None, data=details)
    return source


def _simulate_one(
    campaign: Campaign,
    questions: Sequence[Asked],
    shares: Sequence[tuple[str, float]],
    utilities: dict[int, float],
    rng: np.random.Generator,
    *,
    respondent: int,
) -> Simulated:
    seed = int(rng.integers(2**63 - 1))
    selection = choose(
        policy=campaign.policy,
        parameters=campaign.policy_parameters,
        candidates=[Candidate(pk) for pk in utilities],
        seed=seed,
        count=campaign.responses_per_item,
    )
    responses = len(selection.contestants)
    sides, drawn = draw_order(responses, seed=seed), draw_questions(shares, seed=seed)
    asked = [question for question in questions if question.name in drawn.names]
    spread = float(np.hypot(PROMPT_SPREAD, PERSON_SPREAD))
    shown = [utilities[selection.contestants[position]] + spread * rng.standard_normal() for position in sides.order]
    situation = Situation(responses=responses, currency=campaign.currency)
    raw = simulate_answers(asked, rng=rng, utilities=shown, situation=situation)
    return Simulated(respondent, selection, sides, drawn, read_answers(asked, raw, situation), seed)


def _write(campaign: Campaign, source: Source, simulated: Sequence[Simulated], respondents: int, now: datetime) -> None:
    people = Respondent.objects.bulk_create(
        Respondent(campaign=campaign, kind=RespondentKind.SIMULATED, source=source, pseudonym=f"simulated-{number:03}")
        for number in range(1, respondents + 1)
    )
    items = Item.objects.bulk_create(Item(campaign=campaign, source=source, state=ItemState.FROZEN) for _ in simulated)
    responses = Response.objects.bulk_create(
        Response(item=item, position=position, contestant_id=contestant)
        for item, each in zip(items, simulated, strict=True)
        for position, contestant in enumerate(each.selection.contestants)
    )
    Turn.objects.bulk_create(Turn(response=response, kind=TurnKind.ABSENT) for response in responses)
    shown = [(item, each, people[each.respondent]) for item, each in zip(items, simulated, strict=True)]
    impressions = Impression.objects.bulk_create(_impression(campaign, *row) for row in shown)
    ImpressionEvent.objects.bulk_create(
        ImpressionEvent(impression=impression, kind=ImpressionEnd.ANSWERED) for impression in impressions
    )
    Judgment.objects.bulk_create(
        _judgment(campaign, source, impression, *row, now) for impression, row in zip(impressions, shown, strict=True)
    )


def _impression(campaign: Campaign, item: Item, each: Simulated, person: Respondent) -> Impression:
    return Impression(
        campaign=campaign,
        item=item,
        respondent=person,
        instrument=campaign.instrument,
        guidelines_id=campaign.guidelines_id,
        order=each.sides.order,
        questions_asked=each.asked.names,
        policy=each.selection.policy,
        policy_version=each.selection.version,
        parameters=each.selection.parameters,
        candidate_count=each.selection.candidate_count,
        candidate_digest=each.selection.candidate_digest,
        floor=each.selection.floor,
        seed=each.seed,
        pair_design=Design.DRAWN,
        p_pair=each.selection.probability,
        side_design=Design.DRAWN,
        p_side=each.sides.probability,
        prompt_design=Design.ASSIGNED,
        questions_design=Design.ASSIGNED if each.asked.probability is None else Design.DRAWN,
        p_questions=each.asked.probability,
    )


def _judgment(
    campaign: Campaign,
    source: Source,
    impression: Impression,
    item: Item,
    each: Simulated,
    person: Respondent,
    now: datetime,
) -> Judgment:
    return Judgment(
        campaign=campaign,
        item=item,
        respondent=person,
        source=source,
        impression=impression,
        instrument=campaign.instrument,
        guidelines_id=campaign.guidelines_id,
        order=each.sides.order,
        contestants=[each.selection.contestants[position] for position in each.sides.order],
        answers=each.reading.answers,
        submitted_at=now,
        **each.reading.columns,
    )
