from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.enums import AssignmentState, ItemState, RespondentState
from annotation.imports.messages import canonical_messages
from annotation.models import FollowUp
from annotation.transitions import ITEM
from arena.enums import BattleState, JudgedText
from arena.errors import ArenaError
from arena.models import Battle
from arena.policies import checked_prompt
from arena.transitions import BATTLE
from arena.use_cases.ask_models import ask_models
from arena.use_cases.hold_to_rules import Held, hold_to_rules, note_hits
from arena.use_cases.keep_picture import said_by, told_of
from arena.use_cases.refuse_flood import refuse_when_busy
from arena.use_cases.start_battle import gone, refuse_unless_open
from foundation.idempotency import body_hash, once
from foundation.media.anew import NewPicture
from foundation.transitions import ForbiddenTransition, check


class NotYourBattle(ArenaError):
    """The battle is somebody else's, or does not exist; the two are not told apart."""


class NoMoreTurns(ArenaError):
    """The battle has as many turns as its arena allows."""


class NotReady(ArenaError):
    """The battle is not waiting for this visitor: the models are answering, or it has ended."""


def ask_follow_up(
    *, battle_id: UUID, person: Person, prompt: str, key: str, now: datetime, picture: NewPicture | None = None
) -> Battle:
    """Say the next thing to both sides, once per `key`. Refuses NotYourBattle, ArenaClosed, NotReady,
    NoMoreTurns, PromptRefused, NoPictures, VisitorGone and TooBusy.
    """
    held = hold_next(battle_id, person, prompt, picture, now)
    body = body_hash({"battle": str(battle_id), "prompt": prompt, **told_of(picture)})
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        battle = lock_battle(battle_id, person)
        if attempt.replayed:
            return battle
        refuse_unless_open(battle.arena.campaign)
        text = checked_prompt(prompt, longest=battle.arena.max_prompt_chars)
        refuse_if_left(battle, now)
        refuse_when_busy(battle.arena)
        refuse_unless_votable(battle)
        if battle.turns_before + battle.turn_count >= battle.arena.max_turns:
            raise NoMoreTurns(f"a battle has at most {battle.arena.max_turns} turns")
        battle.turn_count += 1
        ask_again(battle)
        number = battle.turn_count - 1
        said = said_by(person, text, picture, taken=battle.takes_images)
        sealed = write_personal_text(person=person, text=canonical_messages([said]))
        FollowUp.objects.create(item=battle.item, number=number, personal_text=sealed)
        ask_models(battle=battle, turn=number, person=person)
        note_hits(held, battle=battle, about=JudgedText.PROMPT, now=now)
        attempt.response = {"turn": number}
    return battle


def hold_next(battle_id: UUID, person: Person, prompt: str, picture: NewPicture | None, now: datetime) -> Held:
    """Raises NotYourBattle and HouseRuleBroken; before the transaction, so that a refusal is noted."""
    mine = Battle.objects.select_related("arena").filter(assignment__respondent__person=person)
    battle = mine.filter(pk=battle_id).first()
    if battle is None:
        raise NotYourBattle("no such battle of this visitor")
    return hold_to_rules(
        [prompt.strip()],
        arena=battle.arena,
        person=person,
        about=JudgedText.PROMPT,
        now=now,
        battle=battle,
        picture=picture if battle.takes_images else None,
    )


def lock_battle(battle_id: UUID, person: Person) -> Battle:
    battle = (
        Battle.objects.select_for_update(of=["self"])
        .select_related("arena__campaign", "item", "assignment__respondent__person", "impression")
        .filter(pk=battle_id, assignment__respondent__person=person)
        .first()
    )
    if battle is None:
        raise NotYourBattle("no such battle of this visitor")
    return battle


def refuse_if_left(battle: Battle, now: datetime) -> None:
    """A battle whose visitor was blocked or withdrew, or whose time ran out, takes no more turns than votes."""
    assignment = battle.assignment
    if assignment.respondent.state != RespondentState.ACTIVE:
        raise gone(assignment.respondent.state)
    if assignment.state != AssignmentState.OPEN or assignment.lease_expires_at <= now:
        raise NotReady("the battle was left")


def refuse_unless_votable(battle: Battle) -> None:
    """Raises NotReady: only what all sides have answered goes on."""
    try:
        check(BATTLE, battle.state, BattleState.ANSWERING)
        check(ITEM, battle.item.state, ItemState.FILLING)
    except ForbiddenTransition as error:
        raise NotReady(f"the battle is {battle.state}") from error


def ask_again(battle: Battle) -> None:
    """The models answer again; nothing can be voted on until all sides have. The caller has asked whether it may be."""
    battle.state, battle.item.state, battle.opens_at = BattleState.ANSWERING, ItemState.FILLING, None
    battle.save(update_fields=["state", "turn_count", "regenerations", "opens_at"])
    battle.item.save(update_fields=["state"])
