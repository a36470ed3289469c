from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from annotation.enums import GenerationKind, GenerationState, GoldWay, ItemPurpose, ItemState, TurnKind
from annotation.models import Campaign, Generation, Item, Response, Turn
from annotation.policies.degrading import degrade
from annotation.policies.drafts import QUESTIONS, all_as_asked, section_content
from annotation.policies.expectations import Expected, expected_alone, expected_best
from annotation.queries.gold import Candidate, candidates, made_already, texts_of
from annotation.selection.draws import stream
from annotation.transitions import GENERATION, ITEM
from annotation.use_cases.record_event import record_event
from foundation.transitions import check

log = structlog.get_logger(__name__)
MAKE_GOLD = "annotation.make_gold"
HINT_SECONDS = 10
# The stream of a generation's seed that draws originals and makes their copies.
GOLD = 11
AT_ONCE = 200


@dataclass(frozen=True)
class Made:
    """One gold item to be: its texts by position, the original's position (None: a copy alone), how it was made."""

    candidate: Candidate
    texts: list[str]
    original: int | None
    ways: dict[int, str]
    other: int | None


def make_gold(*, generation_id: int, now: datetime) -> Generation | None:
    """Propose gold items: a response against copies of it that are worse for certain.

    The same seed over the same responses gives the same items. What is too short, or would stay the same, is passed
    over and counted. None where there is nothing to do, or another worker does it.
    """
    with transaction.atomic():
        generation = (
            Generation.objects.select_for_update(of=["self"], skip_locked=True)
            .select_related("campaign")
            .filter(pk=generation_id, state=GenerationState.RUNNING, kind=GenerationKind.GOLD)
            .first()
        )
        if generation is None:
            return None
        campaign, wanted = generation.campaign, generation.parameters
        drawn = Drawn(campaign, wanted, stream(int(wanted["seed"]), GOLD))
        made = 0
        for each in drawn:
            _write(generation, each, drawn.expected(each))
            made += 1
            if made == wanted["count"]:
                break
        _end(generation, {"made": made, "too_short": drawn.too_short, "looked_at": drawn.looked_at}, now)
    return generation


def hint_gold(generation_id: int) -> None:
    """Tell a worker that gold is to be made. Only a hint: the sweeper finds what nobody was told of."""
    try:
        current_app.signature(MAKE_GOLD, args=[generation_id]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("gold_hint_not_sent", generation=generation_id, reason=str(error))


class Drawn:
    """Originals in a drawn order, each with its copies; counts those that none could be made of."""

    def __init__(self, campaign: Campaign, wanted: dict[str, Any], rng: np.random.Generator) -> None:
        self.too_short = self.looked_at = 0
        self._ways: list[str] = list(wanted["ways"])
        self._seats = campaign.responses_per_item
        self._questions = all_as_asked(section_content(campaign, QUESTIONS))
        self._rng = rng
        taken = made_already(campaign)
        found = [each for each in candidates(campaign, wanted["origin"]) if (each.item, each.position) not in taken]
        self._order = [found[place] for place in rng.permutation(len(found))]

    def __iter__(self) -> Iterator[Made]:
        items: set[int] = set()
        for start in range(0, len(self._order), AT_ONCE):
            batch = self._order[start : start + AT_ONCE]
            texts = texts_of([each.response for each in batch])
            for place, candidate in enumerate(batch):
                if candidate.item in items:
                    continue
                self.looked_at += 1
                made = self._make(candidate, texts, batch[place + 1 :] + batch[:place])
                if made is None:
                    self.too_short += 1
                else:
                    items.add(candidate.item)
                    yield made

    def expected(self, made: Made) -> Expected:
        if self._seats == 1:
            return expected_alone(self._questions, good=made.original is not None)
        return expected_best(self._questions, made.original or 0)

    def _make(self, candidate: Candidate, texts: dict[int, str], others: Sequence[Candidate]) -> Made | None:
        text = texts[candidate.response]
        other = next(
            (each for each in others if each.prompt != candidate.prompt and texts[each.response].strip()), None
        )
        copies: dict[str, str] = {}
        for way in self._rng.permutation(self._ways).tolist() * max(self._seats - 1, 1):
            copy = degrade(text, way, rng=self._rng, other=texts[other.response] if other else "")
            if copy is not None and copy not in copies:
                copies[copy] = way
            if len(copies) == max(self._seats - 1, 1):
                return self._seat(candidate, text, copies, other)
        return None

    def _seat(self, candidate: Candidate, text: str, copies: dict[str, str], other: Candidate | None) -> Made:
        """The original anywhere among its copies; where one response is shown, itself or its copy."""
        used = other.item if other and GoldWay.OTHER_PROMPT in copies.values() else None
        if self._seats == 1:
            ((copy, way),) = copies.items()
            shows_original = bool(self._rng.random() < 0.5)
            ways = {} if shows_original else {0: way}
            return Made(candidate, [text if shows_original else copy], 0 if shows_original else None, ways, used)
        place = int(self._rng.integers(self._seats))
        shown, ways = list(copies), {}
        shown.insert(place, text)
        for position, each in enumerate(shown):
            if position != place:
                ways[position] = copies[each]
        return Made(candidate, shown, place, ways, used)


def _write(generation: Generation, made: Made, expected: Expected) -> None:
    """Nobody is ranked for a gold item's responses: what people say of them tells of the people."""
    check(ITEM, ItemState.FILLING, ItemState.PROPOSED)
    source = Item.objects.get(pk=made.candidate.item)
    ways = list(made.ways.values())
    item = Item.objects.create(
        campaign_id=generation.campaign_id,
        source_id=generation.source_id,
        prompt_id=made.candidate.prompt,
        prompt_key=source.prompt_key,
        category=source.category,
        language=source.language,
        warnings=source.warnings,
        state=ItemState.PROPOSED,
        purpose=ItemPurpose.GOLD,
        expected=expected,
        generation=generation,
        made={
            "way": ways[0] if ways else "original",
            "item": made.candidate.item,
            "position": made.candidate.position,
            "original": made.original,
            "ways": {str(position): way for position, way in made.ways.items()},
            "other": made.other,
        },
    )
    responses = Response.objects.bulk_create(
        Response(item=item, position=position) for position in range(len(made.texts))
    )
    Turn.objects.bulk_create(
        Turn(response=response, kind=TurnKind.TEXT, text=text)
        for response, text in zip(responses, made.texts, strict=True)
    )


def _end(generation: Generation, result: dict[str, int], now: datetime) -> None:
    check(GENERATION, generation.state, GenerationState.DONE)
    before, generation.state, generation.finished_at = generation.state, GenerationState.DONE, now
    generation.parameters = {**generation.parameters, **result}
    generation.save(update_fields=["state", "finished_at", "parameters"])
    record_event(
        subject=generation, verb="ended", actor=None, from_state=before, to_state=generation.state, data=result
    )
