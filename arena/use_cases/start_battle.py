import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import (
    CampaignState,
    Design,
    ItemState,
    RespondentKind,
    RespondentState,
    SlotState,
    SourceKind,
)
from annotation.models import Assignment, Campaign, Contestant, Item, Prompt, Respondent, Response, Slot
from annotation.policies.categories import main_category
from annotation.queries.pairs import known_of, known_of_category
from annotation.selection import Candidate, Known, NewcomerCap, Selection, choose
from annotation.selection.draws import new_seed
from annotation.use_cases.agree_to_texts import give_consent
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.label_prompt import label_by_rule
from annotation.use_cases.show_item import PairChoice, show_item
from arena.enums import BattleState, PromptDrawKind
from arena.errors import ArenaError
from arena.models import Arena, Battle, PoolPrompt, PromptDraw
from arena.policies import VOTE_LEASE, checked_prompt
from arena.queries.pool import Offer, PoolEmpty, draw_any
from arena.use_cases.admit_contestants import Admitted, admit_contestants
from arena.use_cases.ask_models import ask_models
from arena.use_cases.refuse_flood import TooBusy, TooManyBattles, refuse_flood, refuse_when_busy
from foundation.idempotency import body_hash, once
from foundation.text import clean_text
from inference_workers.queries import endpoints_return

__all__ = [
    "ArenaClosed",
    "NotEnoughModels",
    "PoolEmpty",
    "TextNotAgreed",
    "TooBusy",
    "TooManyBattles",
    "VisitorGone",
    "refuse_unless_open",
    "start_battle",
]
# A pilot takes battles too; it is in no list.
OPEN = {CampaignState.PILOT, CampaignState.RUNNING}


class ArenaClosed(ArenaError):
    """The arena takes no battles now."""


class NotEnoughModels(ArenaError):
    """A battle needs as many models that take part in the arena and have a weight; an admin can enter one."""


class VisitorGone(ArenaError):
    """This visitor was blocked here, or has withdrawn their consent."""


class TextNotAgreed(ArenaError):
    """What the arena says about the use of prompts and votes is not what this visitor saw; show it to them."""


@dataclass(frozen=True)
class Wanted:
    """What is asked, and how it came about: written by the visitor, taken unchanged from an offer, or drawn."""

    text: str
    offer: Offer | None = None
    prompt: PoolPrompt | None = None


def start_battle(
    *,
    arena: Arena,
    person: Person,
    network: str,
    key: str,
    now: datetime,
    prompt: str = "",
    offer: Offer | None = None,
    any_of: str | None = None,
    agreed: int | None = None,
) -> Battle:
    """Set hidden models on one prompt and ask them all, once per `key`. `agreed` is the version of the text about
    data use that the visitor was shown beside the button; it is kept with them. `offer` is what they were offered: a
    prompt that is none of it word for word is their own. With `any_of`, a category or "" for all, the prompt is drawn
    from the arena's pool, before the models and without them.

    Everything that could refuse is asked before anything is kept: PromptRefused, ArenaClosed, TooBusy, VisitorGone,
    TooManyBattles, TextNotAgreed, PoolEmpty, NotEnoughModels. What is shown to whom, with its probability, is written
    before anybody sees it.
    """
    text = "" if any_of is not None else checked_prompt(prompt, longest=arena.max_prompt_chars)
    body = body_hash({"arena": arena.pk, "prompt": text} | ({} if any_of is None else {"any_of": any_of}))
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Battle.objects.get(pk=attempt.response["battle"])
        campaign = Campaign.objects.select_related("instrument").get(pk=arena.campaign_id)
        refuse_unless_open(campaign)
        refuse_when_busy(arena)
        refuse_flood(arena=arena, person=person, network=network, now=now)
        respondent = _enrol(campaign, person, agreed, now)
        seed = new_seed()
        wanted = _taken(text, offer) if any_of is None else _drawn(arena, any_of, seed)
        battle = _open_battle(arena, campaign, respondent, wanted, network, seed, now)
        attempt.response = {"battle": str(battle.pk)}
    return battle


def refuse_unless_open(campaign: Campaign) -> None:
    """Raises ArenaClosed."""
    if campaign.state not in OPEN:
        raise ArenaClosed(f"the arena is {campaign.state}")


def _enrol(campaign: Campaign, person: Person, agreed: int | None, now: datetime) -> Respondent:
    respondent = enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.VISITOR, now=now)
    respondent.person = person
    if respondent.state != RespondentState.ACTIVE:
        raise VisitorGone(f"the visitor is {respondent.state}")
    if campaign.consent_id is not None and respondent.consent_id != campaign.consent_id:
        if agreed != campaign.consent_id:
            raise TextNotAgreed("the visitor was shown another text about data use, or none")
        give_consent(respondent_id=respondent.pk, consent_id=agreed, now=now)
    return respondent


def _taken(text: str, offer: Offer | None) -> Wanted:
    """The offered prompt that this is unchanged, or the visitor's own words."""
    for each in offer.prompts if offer else ():
        if clean_text(text) == each.text:
            return Wanted(each.text, offer, each)
    return Wanted(text)


def _drawn(arena: Arena, category: str, seed: int) -> Wanted:
    """From the stream of prompts, which the pair's has nothing to do with."""
    offer = draw_any(arena, category=category, seed=seed)
    return Wanted(offer.prompts[0].text, offer, offer.prompts[0])


def _prompt_design(wanted: Wanted) -> Design:
    if wanted.offer is None:
        return Design.CHOSEN
    return Design.DRAWN if wanted.offer.kind == PromptDrawKind.ANY else Design.OFFERED


def _open_battle(
    arena: Arena, campaign: Campaign, respondent: Respondent, wanted: Wanted, network: str, seed: int, now: datetime
) -> Battle:
    person, design = visitor(respondent), _prompt_design(wanted)
    admitted = admit_contestants(arena=arena, now=now)
    messages = _messages(arena, wanted.text)
    prompt = create_prompt(messages=messages, person=person)
    category = main_category(label_by_rule(prompt=prompt, messages=messages, now=now))
    selection = _draw(arena, campaign, admitted, category, seed)
    item = make_item(campaign, prompt, category)
    assignment = assign(item, respondent, selection.contestants, now)
    impression = show_item(
        campaign=campaign,
        instrument=campaign.asks,
        item_id=item.pk,
        responses=len(selection.contestants),
        respondent=respondent,
        assignment=assignment,
        prompt_design=design,
        p_prompt=wanted.offer.probability if wanted.offer and design == Design.DRAWN else None,
        pair=_how(arena, selection),
        seed=seed,
    )
    battle = Battle.objects.create(
        arena=arena, item=item, assignment=assignment, impression=impression, network=network
    )
    seat(item, [admitted[pk].contestant for pk in selection.contestants])
    _note_draw(battle, wanted)
    ask_models(battle=battle, turn=0, person=person)
    return battle


def _note_draw(battle: Battle, wanted: Wanted) -> None:
    if wanted.offer is None or wanted.prompt is None:
        return
    offer = wanted.offer
    PromptDraw.objects.create(
        battle=battle,
        prompt=wanted.prompt,
        kind=offer.kind,
        category=offer.category,
        by_category=offer.by_category,
        seed=offer.seed,
        pool_size=offer.pool_size,
        pool_digest=offer.pool_digest,
        drawn=[each.pk for each in offer.prompts],
        probability=offer.probability,
    )


def visitor(respondent: Respondent) -> Person:
    if respondent.person is None:
        raise ValueError(f"respondent {respondent.pk} is nobody")
    return respondent.person


def _draw(arena: Arena, campaign: Campaign, admitted: dict[int, Admitted], category: str, seed: int) -> Selection:
    wanted = campaign.responses_per_item
    if len(admitted) < wanted:
        wait = endpoints_return()
        if wait is not None:
            raise TooBusy(wait_seconds=max(5, round(wait.total_seconds())))
        raise NotEnoughModels(f"{len(admitted)} models can be drawn, a battle needs {wanted}")
    known, of = _known(arena, campaign, category)
    selection = choose(
        state=known.state if known and campaign.policy != "uniform" else None,
        policy=campaign.policy,
        parameters=campaign.policy_parameters,
        candidates=[Candidate(pk, each.weight) for pk, each in admitted.items()],
        seed=seed,
        count=wanted,
        cap=_cap(arena, admitted, known_of(campaign) if of else known),
    )
    return replace(selection, parameters=selection.parameters | ({"state": of} if of else {}))


def _known(arena: Arena, campaign: Campaign, category: str) -> tuple[Known | None, str]:
    """What the draw goes by, and of which items it is, where the arena tells these apart: of the prompt's category as
    soon as that has the votes for it, else of them all.
    """
    if campaign.policy == "uniform":
        return (known_of(campaign) if arena.newcomer_share is not None else None), ""
    if arena.category_votes is None:
        return known_of(campaign), ""
    own = known_of_category(campaign, category) if category else None
    if own is not None and own.state.votes >= arena.category_votes:
        return own, f"category {category}"
    return known_of(campaign), "whole"


def _cap(arena: Arena, admitted: dict[int, Admitted], known: Known | None) -> NewcomerCap | None:
    """Who is new is a matter of all votes, whatever the category."""
    if arena.newcomer_share is None:
        return None
    votes = dict(zip(known.state.names.tolist(), known.state.battles.tolist(), strict=True)) if known else {}
    new = {pk for pk in admitted if votes.get(pk, 0) < arena.newcomer_votes}
    return NewcomerCap(new, arena.newcomer_share)


def _messages(arena: Arena, text: str) -> list[dict[str, str]]:
    """What the arena tells all its models comes first."""
    system = [{"role": "system", "content": arena.system_prompt}] if arena.system_prompt.strip() else []
    return [*system, {"role": "user", "content": text}]


def make_item(campaign: Campaign, prompt: Prompt, category: str) -> Item:
    live = campaign.sources.get(kind=SourceKind.LIVE)
    return Item.objects.create(
        campaign=campaign, source=live, prompt=prompt, category=category, state=ItemState.FILLING
    )


def assign(item: Item, respondent: Respondent, contestants: Sequence[int], now: datetime) -> Assignment:
    """The slot is this visitor's alone; its pair is told, so that policies know what is out. More than two are read
    from the item's responses."""
    low, high = sorted(contestants) if len(contestants) == 2 else (None, None)
    slot = Slot.objects.create(
        item=item,
        campaign_id=item.campaign_id,
        number=1,
        state=SlotState.CLAIMED,
        for_one=True,
        pair_low=low,
        pair_high=high,
    )
    return Assignment.objects.create(
        slot=slot, item=item, respondent=respondent, lease_token=uuid.uuid4(), lease_expires_at=now + VOTE_LEASE
    )


def _how(arena: Arena, selection: Selection) -> PairChoice:
    """What was out when they were drawn: what the policy went by, or else what is open in this arena."""
    unfinished = Battle.objects.filter(arena=arena, state__in=[BattleState.ANSWERING, BattleState.VOTABLE])
    return PairChoice(
        design=Design.DRAWN,
        probability=selection.probability,
        policy=selection.policy,
        policy_version=selection.version,
        parameters=selection.parameters,
        candidate_count=selection.candidate_count,
        candidate_digest=selection.candidate_digest,
        floor=selection.floor,
        outstanding=unfinished.count() if selection.outstanding is None else selection.outstanding,
    )


def seat(item: Item, contestants: Sequence[Contestant]) -> None:
    Response.objects.bulk_create(
        Response(item=item, position=position, contestant=contestant) for position, contestant in enumerate(contestants)
    )
