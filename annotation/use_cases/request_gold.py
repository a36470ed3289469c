from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import GenerationKind, GoldWay, SourceKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, Generation
from annotation.policies.drafts import QUESTIONS, all_as_asked, refuse_if_closed, section_content
from annotation.policies.expectations import expected_alone, expected_best
from annotation.queries.gold import ACCEPTABLE, ANY, BEST
from annotation.selection.draws import new_seed
from annotation.use_cases.make_gold import hint_gold
from annotation.use_cases.record_event import record_event
from foundation.idempotency import body_hash, once

MOST_GOLD = 500


class CannotMakeGold(AnnotationError):
    """No question of the campaign says which response is better, or nothing was chosen; the message says which."""


def request_gold(
    *,
    campaign_id: int,
    count: int,
    ways: Sequence[str],
    origin: str,
    key: str,
    actor: Person | None,
    now: datetime,
    seed: int | None = None,
) -> Generation:
    """Have gold items made of responses that are there; a worker proposes them, an admin checks each.

    Raises CannotMakeGold, CampaignIsClosed, and what `once` raises.
    """
    ways = [way for way in GoldWay.values if way in ways]
    body = body_hash({"count": count, "ways": ways, "origin": origin})
    with transaction.atomic(), once(key=key, scope=f"gold:{campaign_id}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Generation.objects.get(pk=attempt.response["generation"])
        campaign = Campaign.objects.get(pk=campaign_id)
        refuse_if_closed(campaign)
        if not 0 < count <= MOST_GOLD or not ways or origin not in {ANY, ACCEPTABLE, BEST}:
            raise CannotMakeGold(f"choose 1 to {MOST_GOLD} items and one way or more")
        refuse_if_nothing_is_expected(campaign)
        seed = new_seed() if seed is None else seed
        generation = Generation.objects.create(
            campaign=campaign,
            kind=GenerationKind.GOLD,
            source=campaign.sources.get(kind=SourceKind.LIVE),
            parameters={"count": count, "ways": ways, "origin": origin, "seed": str(seed)},
            created_by=actor,
        )
        record_event(
            subject=generation, verb="started", actor=actor, to_state=generation.state, data=generation.parameters
        )
        attempt.response = {"generation": generation.pk}
        transaction.on_commit(lambda: hint_gold(generation.pk), robust=True)
    return generation


def refuse_if_nothing_is_expected(campaign: Campaign) -> None:
    questions = all_as_asked(section_content(campaign, QUESTIONS))
    if campaign.responses_per_item == 1:
        expected = expected_alone(questions, good=True)
    else:
        expected = expected_best(questions, 0)
    if not expected:
        raise CannotMakeGold("no required question of this campaign says which response is better")
