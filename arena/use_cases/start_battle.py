import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction

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
from annotation.models import Assignment, Campaign, Contestant, Impression, Item, Prompt, Respondent, Response, Slot
from annotation.policies.categories import main_category
from annotation.selection.draws import new_seed
from annotation.use_cases.agree_to_texts import give_consent
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.label_prompt import label_by_rule
from annotation.use_cases.open_uncounted_source import open_uncounted_source
from annotation.use_cases.show_item import show_item
from arena.enums import JudgedText, Mode, PromptDrawKind
from arena.errors import ArenaError
from arena.models import Arena, Battle, PoolPrompt, PromptDraw
from arena.policies import VOTE_LEASE, checked_prompt
from arena.queries.moderation import moderator_of
from arena.queries.pool import Offer, PoolEmpty, draw_any
from arena.use_cases.ask_models import ask_models
from arena.use_cases.demand_work import refuse_without_work, work_done
from arena.use_cases.draw_contestants import (
    SOURCES,
    Met,
    ModeNotAllowed,
    NamedTwice,
    NoSuchModel,
    NotEnoughModels,
    SetTooSmall,
    TakeNoPictures,
    TooFewTakePictures,
    draw_contestants,
)
from arena.use_cases.hold_to_rules import hold_to_rules, note_hits
from arena.use_cases.keep_picture import said_by, told_of
from arena.use_cases.refuse_flood import TooBusy, TooManyBattles, refuse_flood, refuse_when_busy
from foundation.idempotency import body_hash, is_remembered, once
from foundation.media.anew import NewPicture
from foundation.text import clean_text

__all__ = [
    "ArenaClosed",
    "ModeNotAllowed",
    "NamedTwice",
    "NoSuchModel",
    "NotEnoughModels",
    "PoolEmpty",
    "SetTooSmall",
    "TakeNoPictures",
    "TextNotAgreed",
    "TooBusy",
    "TooFewTakePictures",
    "TooManyBattles",
    "VisitorGone",
    "VotesSetApart",
    "gone",
    "refuse_unless_open",
    "start_battle",
]
# A pilot takes battles too; it is in no list.
OPEN = {CampaignState.PILOT, CampaignState.RUNNING}
# Shared with whoever begins another battle at this moment, but not with whoever saves the arena.
HOLD_OUTPUT = "SELECT output FROM arena_arena WHERE id = %s FOR KEY SHARE"


class ArenaClosed(ArenaError):
    """The arena takes no battles now."""


class VisitorGone(ArenaError):
    """This visitor was blocked here, or has withdrawn their consent."""


class VotesSetApart(VisitorGone):
    """A block stands against this visitor here, against which they may appeal."""


def gone(state: str) -> VisitorGone:
    """What whoever is not an active visitor any more is refused with."""
    kind = VotesSetApart if state == RespondentState.BLOCKED else VisitorGone
    return kind(f"the visitor is {state}")


class TextNotAgreed(ArenaError):
    """What the arena says about the use of prompts and votes is not what this visitor saw; show it to them."""


@dataclass(frozen=True)
class Wanted:
    """What is asked, and how it came about: written by the visitor, taken unchanged from an offer, or drawn; and who
    says which models meet. With a picture only models that take pictures do.
    """

    text: str
    mode: str = Mode.ANONYMOUS
    named: Sequence[str] = ()
    offer: Offer | None = None
    prompt: PoolPrompt | None = None
    picture: NewPicture | None = None


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
    mode: str = Mode.ANONYMOUS,
    named: Sequence[str] = (),
    work: str = "",
    picture: NewPicture | None = None,
) -> Battle:
    """Set hidden models on one prompt and ask them all, once per `key`. `agreed` is the version of the text about
    data use that the visitor was shown; it is kept. `offer` is what they were offered: a prompt that is none of it word
    for word is their own. With `any_of`, a category or "" for all, the prompt is drawn, before the models and without
    them. `named` are the slugs of models that the visitor names, by side, "" for chance, and `work` answers a flood.

    Everything that could refuse is asked before anything is kept: PromptRefused, which HouseRuleBroken is too,
    NoPictures, ArenaClosed, TooBusy, VisitorGone, TooManyBattles, TextNotAgreed, WorkWanted, PoolEmpty, and what
    `draw_contestants` refuses. What is shown to whom, with its probability, is written before anybody sees it."""
    written = [] if any_of is not None else [checked_prompt(prompt, longest=arena.max_prompt_chars)]
    _refuse_early(arena, person, network, work, key, now)
    held = hold_to_rules(written, arena=arena, person=person, about=JudgedText.PROMPT, now=now, picture=picture)
    body = body_hash({"arena": arena.pk, "prompt": "".join(written), **_arranged(any_of, mode, named, picture)})
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Battle.objects.get(pk=attempt.response["battle"])
        respondent = _welcomed(arena, person, network, agreed, now)
        with work_done(arena=arena, person=person, work=work, key=key, now=now):
            seed = new_seed()
            found = _taken(written[0], offer) if any_of is None else _drawn(arena, any_of, seed)
            wanted = replace(found, mode=mode, named=named, picture=picture)
            battle = _open_battle(arena, respondent, wanted, network, seed, now)
        note_hits(held, battle=battle, about=JudgedText.PROMPT, now=now)
        attempt.response = {"battle": str(battle.pk)}
    return battle


def _refuse_early(arena: Arena, person: Person, network: str, work: str, key: str, now: datetime) -> None:
    """What would be refused anyway is not shown to a moderation model, which costs and keeps others waiting."""
    if moderator_of(arena) is None or is_remembered(key=key, scope=f"battle:{person.pk}"):
        return
    refuse_unless_open(arena.campaign)
    refuse_when_busy(arena)
    refuse_flood(arena=arena, person=person, network=network, now=now)
    refuse_without_work(arena=arena, person=person, work=work, now=now)


def _welcomed(arena: Arena, person: Person, network: str, agreed: int | None, now: datetime) -> Respondent:
    campaign = Campaign.objects.select_related("instrument").get(pk=arena.campaign_id)
    refuse_unless_open(campaign)
    refuse_when_busy(arena)
    refuse_flood(arena=arena, person=person, network=network, now=now)
    return _enrol(campaign, person, agreed, now)


def refuse_unless_open(campaign: Campaign) -> None:
    """Raises ArenaClosed."""
    if campaign.state not in OPEN:
        raise ArenaClosed(f"the arena is {campaign.state}")


def _enrol(campaign: Campaign, person: Person, agreed: int | None, now: datetime) -> Respondent:
    respondent = enrol_respondent(campaign=campaign, person=person, kind=RespondentKind.VISITOR, now=now)
    respondent.person, respondent.campaign = person, campaign
    if respondent.state != RespondentState.ACTIVE:
        raise gone(respondent.state)
    if campaign.consent_id is not None and respondent.consent_id != campaign.consent_id:
        if agreed != campaign.consent_id:
            raise TextNotAgreed("the visitor was shown another text about data use, or none")
        give_consent(respondent_id=respondent.pk, consent_id=agreed, now=now)
    return respondent


def _taken(text: str, offer: Offer | None) -> Wanted:
    """The offered prompt that this is unchanged, or the visitor's own words."""
    for each in offer.prompts if offer else ():
        if clean_text(text) == each.text:
            return Wanted(each.text, offer=offer, prompt=each)
    return Wanted(text)


def _drawn(arena: Arena, category: str, seed: int) -> Wanted:
    """From the stream of prompts, which the pair's has nothing to do with."""
    offer = draw_any(arena, category=category, seed=seed)
    return Wanted(offer.prompts[0].text, offer=offer, prompt=offer.prompts[0])


def _arranged(any_of: str | None, mode: str, named: Sequence[str], picture: NewPicture | None) -> dict[str, object]:
    """What of a start may differ under one key besides the prompt."""
    drawn: dict[str, object] = {**told_of(picture), **({} if any_of is None else {"any_of": any_of})}
    return drawn if mode == Mode.ANONYMOUS else {**drawn, "mode": mode, "named": list(named)}


def _prompt_design(wanted: Wanted) -> Design:
    if wanted.offer is None:
        return Design.CHOSEN
    return Design.DRAWN if wanted.offer.kind == PromptDrawKind.ANY else Design.OFFERED


def _open_battle(
    arena: Arena, respondent: Respondent, wanted: Wanted, network: str, seed: int, now: datetime
) -> Battle:
    hold_output(arena)
    campaign, person = respondent.campaign, visitor(respondent)
    messages = _messages(arena, said_by(person, wanted.text, wanted.picture, taken=arena.takes_images))
    prompt = create_prompt(messages=messages, person=person)
    by_rule = main_category(label_by_rule(prompt=prompt, messages=messages, now=now))
    # What an admin said of a prompt of the pool stands before what rules and workers find.
    category = (wanted.prompt and wanted.prompt.category) or by_rule
    language = wanted.prompt.language if wanted.prompt else ""
    met = draw_contestants(
        arena=arena,
        campaign=campaign,
        person=person,
        mode=wanted.mode,
        named=wanted.named,
        category=category,
        seed=seed,
        now=now,
        with_picture=wanted.picture is not None,
    )
    item = make_item(campaign, prompt, category, wanted.mode, now, language=language)
    assignment = assign(item, respondent, [each.pk for each in met.contestants], now)
    impression = _show(assignment, respondent, wanted, met, seed)
    battle = Battle.objects.create(
        arena=arena,
        item=item,
        assignment=assignment,
        impression=impression,
        network=network,
        mode=wanted.mode,
        takes_images=arena.takes_images and met.takes_images,
    )
    seat(item, met.contestants)
    _note_draw(battle, wanted)
    ask_models(battle=battle, turn=0, person=person)
    return battle


def _show(assignment: Assignment, respondent: Respondent, wanted: Wanted, met: Met, seed: int) -> Impression:
    design = _prompt_design(wanted)
    return show_item(
        campaign=respondent.campaign,
        instrument=respondent.campaign.asks,
        item_id=assignment.item_id,
        responses=len(met.contestants),
        respondent=respondent,
        assignment=assignment,
        prompt_design=design,
        p_prompt=wanted.offer.probability if wanted.offer and design == Design.DRAWN else None,
        pair=met.pair,
        seed=seed,
        as_written=met.as_written,
    )


def hold_output(arena: Arena) -> None:
    """What its models answer with, now and until this battle is there: it may have changed since the arena was read."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_OUTPUT, [arena.pk])
        (arena.output,) = cursor.fetchone()


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


def _messages(arena: Arena, said: dict[str, str]) -> list[dict[str, str]]:
    """What the arena tells all its models comes first."""
    system = [{"role": "system", "content": arena.system_prompt}] if arena.system_prompt.strip() else []
    return [*system, said]


def make_item(
    campaign: Campaign, prompt: Prompt, category: str, mode: str, now: datetime, *, language: str = ""
) -> Item:
    """Its source says whether what is judged of it is counted."""
    if mode == Mode.ANONYMOUS:
        source = campaign.sources.get(kind=SourceKind.LIVE)
    else:
        source = open_uncounted_source(campaign=campaign, kind=SOURCES[Mode(mode)], now=now)
    return Item.objects.create(
        campaign=campaign,
        source=source,
        prompt=prompt,
        category=category,
        language=language,
        state=ItemState.FILLING,
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


def seat(item: Item, contestants: Sequence[Contestant]) -> None:
    Response.objects.bulk_create(
        Response(item=item, position=position, contestant=contestant) for position, contestant in enumerate(contestants)
    )
