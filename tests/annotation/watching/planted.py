"""People whose accuracy, leaning and speed are known, and their judgments, written in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from annotation.enums import Design, ItemState, SourceKind
from annotation.models import Campaign, Impression, Item, Judgment, Respondent
from annotation.queries import instrument_questions
from annotation.questions import Situation, read_answers
from tests.annotation.numbering import number_log
from tests.factories import make_campaign, make_contestant, make_respondent

PAIR = [{"name": "preference", "type": "preference", "settings": {"strength": "off"}}]
SITUATION = Situation(responses=2, currency="USD")
EXPECTED = [{"question": "preference", "values": ["a"]}]


@dataclass(frozen=True)
class Planted:
    """Somebody who says the truth with probability `right`, but takes the left side without a look in a share
    `left` of cases; `seconds` per judgment, falling to `seconds * pace` by the last."""

    right: float = 0.9
    left: float = 0.0
    seconds: float = 20.0
    pace: float = 1.0


def planted_campaign(**fields) -> Campaign:
    return make_campaign(questions=PAIR, **fields)


def plant_items(campaign: Campaign, count: int, **fields) -> list[Item]:
    """Every second item's first response is truly better, as is that of every check."""
    values = {"source": campaign.sources.get(kind=SourceKind.LIVE), "state": ItemState.FROZEN} | fields
    return Item.objects.bulk_create(Item(campaign=campaign, **values) for _ in range(count))


def better_of(item: Item) -> int:
    return 0 if item.expected else item.pk % 2


def plant_people(campaign: Campaign, people: Sequence[Planted]) -> dict[Respondent, Planted]:
    return {make_respondent(campaign): planted for planted in people}


def plant_judgments(
    campaign: Campaign,
    people: dict[Respondent, Planted],
    items: Sequence[Item],
    *,
    seed: int = 1,
    ended_at: datetime | None = None,
    numbered: bool = True,
) -> list[Judgment]:
    """Everybody judges every item, in the items' order and side by side in time; of two contestants one is better."""
    rng = np.random.Generator(np.random.PCG64(seed))
    ended_at = ended_at or timezone.now()
    contestants = [make_contestant(campaign).pk, make_contestant(campaign).pk]
    rows = []
    for respondent, person in people.items():
        at = ended_at - timedelta(seconds=2 * person.seconds * len(items))
        for number, item in enumerate(items):
            order = [0, 1] if rng.random() < 0.5 else [1, 0]
            truth = "a" if order[0] == better_of(item) else "b"
            said = truth if rng.random() < person.right else {"a": "b", "b": "a"}[truth]
            said = "a" if rng.random() < person.left else said
            pace = person.pace ** (number / max(len(items) - 1, 1))
            seconds = person.seconds * pace * float(np.exp(0.1 * rng.standard_normal()))
            at += timedelta(seconds=seconds)
            rows.append((respondent, item, order, said, seconds, at))
    impressions = Impression.objects.bulk_create(_impression(campaign, *row[:3]) for row in rows)
    judgments = Judgment.objects.bulk_create(
        _judgment(campaign, impression, contestants, *row) for impression, row in zip(impressions, rows, strict=True)
    )
    if numbered:
        number_log()
    return judgments


def _impression(campaign: Campaign, respondent: Respondent, item: Item, order: list[int]) -> Impression:
    return Impression(
        campaign=campaign,
        item=item,
        respondent=respondent,
        instrument=campaign.instrument,
        order=order,
        pair_design=Design.ASSIGNED,
        side_design=Design.DRAWN,
        p_side=0.5,
        prompt_design=Design.ASSIGNED,
        questions_design=Design.ASSIGNED,
    )


def _judgment(campaign, impression, contestants, respondent, item, order, said, seconds, at) -> Judgment:
    asked = instrument_questions(campaign.instrument_id)
    reading = read_answers(asked, {"preference": {"choice": said, "strength": None}}, SITUATION)
    return Judgment(
        campaign=campaign,
        item=item,
        respondent=respondent,
        source=item.source,
        impression=impression,
        instrument=campaign.instrument,
        order=order,
        contestants=[contestants[position != better_of(item)] for position in order],
        answers=reading.answers,
        rendered_at=at - timedelta(seconds=seconds),
        submitted_at=at,
        active_ms=int(1000 * seconds),
        **reading.columns,
    )
