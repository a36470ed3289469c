import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState, Design, ItemState, RespondentKind, SlotState, SourceKind
from annotation.models import Assignment, Campaign, Contestant, Item, Prompt, Respondent, Response, Slot
from annotation.queries.pairs import known_of
from annotation.selection import Candidate, Selection, choose
from annotation.selection.draws import new_seed
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.enter_contestant import enter_contestant
from annotation.use_cases.show_item import PairChoice, show_item
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.models import Arena, Battle
from arena.policies import BATTLES_PER_NETWORK_AND_HOUR, VOTE_LEASE, checked_prompt
from arena.use_cases.ask_models import ask_models
from foundation.idempotency import body_hash, once
from inference_workers.enums import Visibility
from inference_workers.models import LanguageModel
from inference_workers.queries import estimated_wait, queue_length


class ArenaClosed(ArenaError):
    """The arena takes no battles now."""


class NotEnoughModels(ArenaError):
    """A battle needs two models that are visible and have a weight; an admin can add one."""


@dataclass
class TooBusy(ArenaError):
    """The workers have more than they can answer soon; nothing was written. Come back in `wait_seconds`."""

    wait_seconds: int


class TooManyBattles(ArenaError):
    """This visitor, or their network, has started as many battles as one may for now."""


def start_battle(*, arena: Arena, person: Person, prompt: str, network: str, key: str, now: datetime) -> Battle:
    """Pair two hidden models on one prompt and ask both, once per `key`.

    Everything that could refuse is asked before a row exists: PromptRefused, ArenaClosed, TooBusy, TooManyBattles,
    NotEnoughModels. What is shown to whom, with its probability, is written before anybody sees it.
    """
    text = checked_prompt(prompt, longest=arena.max_prompt_chars)
    body = body_hash({"arena": arena.pk, "prompt": text})
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Battle.objects.get(pk=attempt.response["battle"])
        _refuse_unless_open(arena, person, network, now)
        battle = _open_battle(arena, person, text, network, now)
        attempt.response = {"battle": str(battle.pk)}
    return battle


def _refuse_unless_open(arena: Arena, person: Person, network: str, now: datetime) -> None:
    if arena.campaign.state != CampaignState.RUNNING:
        raise ArenaClosed(f"the arena is {arena.campaign.state}")
    if queue_length() >= arena.max_waiting:
        raise TooBusy(wait_seconds=max(5, round(estimated_wait().total_seconds())))
    today = Battle.objects.filter(assignment__respondent__person=person, created_at__gt=now - timedelta(days=1))
    if today.count() >= arena.battles_per_day:
        raise TooManyBattles("a visitor may start only so many battles a day")
    nearby = Battle.objects.filter(network=network, created_at__gt=now - timedelta(hours=1))
    if network and nearby.count() >= BATTLES_PER_NETWORK_AND_HOUR:
        raise TooManyBattles("one network may start only so many battles an hour")


def _open_battle(arena: Arena, person: Person, text: str, network: str, now: datetime) -> Battle:
    campaign = Campaign.objects.select_related("instrument").get(pk=arena.campaign_id)
    seed = new_seed()
    contestants = _contestants()
    known = known_of(campaign) if campaign.policy != "uniform" else None
    selection = choose(
        state=known.state if known else None,
        policy=campaign.policy,
        parameters=campaign.policy_parameters,
        candidates=[Candidate(c.pk, c.served.language_model.weight) for c in contestants.values()],
        seed=seed,
    )
    respondent = enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.VISITOR, now=now)
    prompt = create_prompt(messages=[{"role": "user", "content": text}], person=person)
    item = _make_item(campaign, prompt)
    assignment = _assign(item, respondent, now)
    impression = show_item(
        campaign=campaign,
        instrument=campaign.asks,
        item_id=item.pk,
        responses=len(selection.pair),
        respondent=respondent,
        assignment=assignment,
        prompt_design=Design.CHOSEN,
        pair=_how(selection),
        seed=seed,
    )
    battle = Battle.objects.create(
        arena=arena, item=item, assignment=assignment, impression=impression, network=network
    )
    _seat(item, [contestants[pk] for pk in selection.pair])
    ask_models(battle=battle, turn=0, person=person)
    return battle


def _contestants() -> dict[int, Contestant]:
    """Everyone who may be drawn, by id; a model's newest revision enters on its first chance."""
    models = (
        LanguageModel.objects.filter(
            visibility__in=[Visibility.PUBLIC, Visibility.HIDDEN], weight__gt=0, current__isnull=False
        )
        .select_related("current__contestant__revision__language_model", "current__language_model")
        .order_by("pk")
    )
    found = [getattr(m.serves, "contestant", None) or enter_contestant(revision=m.serves) for m in models]
    if len(found) < 2:
        raise NotEnoughModels(f"{len(found)} models can be drawn, a battle needs two")
    return {contestant.pk: contestant for contestant in found}


def _make_item(campaign: Campaign, prompt: Prompt) -> Item:
    live = campaign.sources.get(kind=SourceKind.LIVE)
    return Item.objects.create(campaign=campaign, source=live, prompt=prompt, state=ItemState.FILLING)


def _assign(item: Item, respondent: Respondent, now: datetime) -> Assignment:
    slot = Slot.objects.create(item=item, campaign_id=item.campaign_id, number=1, state=SlotState.CLAIMED)
    return Assignment.objects.create(
        slot=slot, item=item, respondent=respondent, lease_token=uuid.uuid4(), lease_expires_at=now + VOTE_LEASE
    )


def _how(selection: Selection) -> PairChoice:
    return PairChoice(
        design=Design.DRAWN,
        probability=selection.probability,
        policy=selection.policy,
        policy_version=selection.version,
        parameters=selection.parameters,
        candidate_count=selection.candidate_count,
        candidate_digest=selection.candidate_digest,
        floor=selection.floor,
        outstanding=Battle.objects.filter(state__in=[BattleState.ANSWERING, BattleState.VOTABLE]).count(),
    )


def _seat(item: Item, contestants: Sequence[Contestant]) -> None:
    Response.objects.bulk_create(
        Response(item=item, position=position, contestant=contestant) for position, contestant in enumerate(contestants)
    )
