from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.enums import Design, JudgmentKind, RespondentState
from annotation.models import Contestant, Judgment, Response
from annotation.policies.categories import main_category
from annotation.selection.draws import new_seed, stream
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.label_prompt import label_by_rule
from annotation.use_cases.show_item import PairChoice, show_item
from arena.enums import BaseChoice, BattleState, JudgedText
from arena.errors import ArenaError
from arena.models import Battle
from arena.policies import checked_prompt
from arena.queries.votes import preferred_sides
from arena.use_cases.admit_contestants import admit_contestants
from arena.use_cases.ask_follow_up import NoMoreTurns, NotReady, hold_next, lock_battle
from arena.use_cases.ask_models import Message, ask_models, contestant_of, conversation, read_completion
from arena.use_cases.demand_work import work_done
from arena.use_cases.hold_to_rules import note_hits
from arena.use_cases.keep_picture import said_by, told_of
from arena.use_cases.refuse_flood import refuse_flood, refuse_when_busy
from arena.use_cases.start_battle import assign, gone, make_item, refuse_unless_open, seat
from foundation.idempotency import body_hash, once
from foundation.media.anew import NewPicture

# Of the seed's streams: pair, sides and questions have the first three.
BASE = 3


class ModelsLeft(ArenaError):
    """Not all of the battle's models can be asked now: one is paused, has left, has changed or is out of reach."""


@dataclass(frozen=True)
class Base:
    """Whose history all sides share from now on, and by whose choice."""

    response: Response
    choice: str


def continue_battle(
    *,
    battle_id: UUID,
    prompt: str,
    place: int | None,
    person: Person,
    network: str,
    key: str,
    now: datetime,
    picture: NewPicture | None = None,
    work: str = "",
) -> Battle:
    """Go on after a vote, once per `key`: the same models, with the history of the preferred side on all sides.

    Where the vote preferred none, `place` is the side that the visitor picked, or None to have one drawn. The next
    battle has an item and a vote of its own. Refuses NotYourBattle, ArenaClosed, VisitorGone, NotReady, NoMoreTurns,
    PromptRefused, NoPictures, TooBusy, TooManyBattles, WorkWanted, which `work` answers, and ModelsLeft.
    """
    held = hold_next(battle_id, person, prompt, picture, now)
    body = body_hash({"battle": str(battle_id), "prompt": prompt, "place": place, **told_of(picture)})
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        battle = lock_battle(battle_id, person)
        if attempt.replayed:
            return Battle.objects.get(pk=attempt.response["battle"])
        refuse_unless_open(battle.arena.campaign)
        text = checked_prompt(prompt, longest=battle.arena.max_prompt_chars)
        _refuse_unless_held(battle)
        refuse_when_busy(battle.arena)
        refuse_flood(arena=battle.arena, person=person, network=network, now=now)
        with work_done(arena=battle.arena, person=person, work=work, key=key, now=now):
            said = said_by(person, text, picture, taken=battle.takes_images)
            following = _follow(battle, said, place, network, now)
            ask_models(battle=following, turn=0, person=person)
        note_hits(held, battle=following, about=JudgedText.PROMPT, now=now)
        attempt.response = {"battle": str(following.pk)}
    return following


def _refuse_unless_held(battle: Battle) -> None:
    respondent = battle.assignment.respondent
    if respondent.state != RespondentState.ACTIVE:
        raise gone(respondent.state)
    if battle.state != BattleState.HELD or Battle.objects.filter(continues=battle).exists():
        raise NotReady(f"the battle is {battle.state}, or went on already")
    if battle.turns_before + battle.turn_count >= battle.arena.max_turns:
        raise NoMoreTurns(f"a conversation has at most {battle.arena.max_turns} turns")


def _follow(battle: Battle, said: Message, place: int | None, network: str, now: datetime) -> Battle:
    seed, respondent, campaign = new_seed(), battle.assignment.respondent, battle.arena.campaign
    base = _base(battle, place, seed)
    contestants = _still_playing(battle, now)
    messages = _history(battle, base.response, said)
    prompt = create_prompt(messages=messages, person=respondent.person)
    category = main_category(label_by_rule(prompt=prompt, messages=messages, now=now))
    item = make_item(campaign, prompt, category, battle.mode, now)
    assignment = assign(item, respondent, [each.pk for each in contestants], now)
    impression = show_item(
        campaign=campaign,
        instrument=campaign.asks,
        item_id=item.pk,
        responses=len(contestants),
        respondent=respondent,
        assignment=assignment,
        prompt_design=Design.CHOSEN,
        pair=_how(battle, base),
        seed=seed,
    )
    following = Battle.objects.create(
        arena=battle.arena,
        item=item,
        assignment=assignment,
        impression=impression,
        network=network,
        mode=battle.mode,
        takes_images=battle.takes_images,
        continues=battle,
        first_id=battle.first_id or battle.pk,
        turns_before=battle.turns_before + battle.turn_count,
        base_position=base.response.position,
        base_choice=base.choice,
    )
    seat(item, contestants)
    return following


def _base(battle: Battle, place: int | None, seed: int) -> Base:
    """The side that stands alone at the top of the vote; else the one that was picked, or a drawn one."""
    vote = Judgment.objects.get(
        item=battle.item, kind=JudgmentKind.ANSWER, supersedes=None, respondent=battle.assignment.respondent
    )
    order, preferred = battle.impression.order, preferred_sides(vote)
    by_position = {response.position: response for response in battle.item.responses.all()}
    if preferred:
        return Base(by_position[order[min(preferred)]], BaseChoice.PREFERRED)
    if place is not None and 0 <= place < len(order):
        return Base(by_position[order[place]], BaseChoice.PICKED)
    return Base(by_position[order[int(stream(seed, BASE).integers(len(order)))]], BaseChoice.DRAWN)


def _still_playing(battle: Battle, now: datetime) -> Sequence[Contestant]:
    admitted = admit_contestants(arena=battle.arena, now=now)
    responses = battle.item.responses.select_related("contestant__revision").order_by("position")
    contestants = [contestant_of(response) for response in responses]
    if any(each.pk not in admitted for each in contestants):
        raise ModelsLeft("not all of the models take part now")
    return contestants


def _history(battle: Battle, base: Response, next_said: Message) -> list[Message]:
    """All that this side was asked and said, then what the visitor says next."""
    last = battle.turn_count - 1
    answer = read_completion(base.turns.select_related("completion").get(number=last).job)
    said = conversation(battle, base, before=last)
    return [*said, {"role": "assistant", "content": answer}, next_said]


def _how(battle: Battle, base: Base) -> PairChoice:
    """Nothing is drawn: the models are those of the battle before."""
    parameters = {"continues": battle.item_id, "base": base.response.position, "choice": str(base.choice)}
    return PairChoice(design=Design.ASSIGNED, parameters=parameters)
