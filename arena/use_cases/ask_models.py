import json

from accounts.models import Person
from accounts.texts import read_personal_text
from annotation.enums import TurnKind
from annotation.models import Contestant, FollowUp, Prompt, Response, Turn
from annotation.selection.draws import new_seed
from arena.errors import ArenaError
from arena.models import Battle
from arena.use_cases.hold_to_rules import current_rule_set
from inference_workers.dispatch import request_completion
from inference_workers.enums import Priority
from inference_workers.models import Completion

Message = dict[str, str]


class TextErased(ArenaError):
    """The visitor was erased; what they asked cannot be read any more."""


def ask_models(*, battle: Battle, turn: int, person: Person) -> None:
    """Ask every side for one turn, in the caller's transaction; the rows are the jobs."""
    for response in battle.item.responses.select_related("contestant__revision").all():
        completion = ask_one(battle=battle, response=response, turn=turn, person=person)
        Turn.objects.create(response=response, number=turn, kind=TurnKind.COMPLETION, completion=completion)


def ask_one(*, battle: Battle, response: Response, turn: int, person: Person) -> Completion:
    """Whose answer is held to the house rules of this moment."""
    return request_completion(
        revision=contestant_of(response).served,
        messages=conversation(battle, response, before=turn),
        person=person,
        priority=Priority.VISITOR,
        seed=new_seed(),
        rule_set=current_rule_set(battle.arena),
    )


def conversation(battle: Battle, response: Response, *, before: int) -> list[Message]:
    """What this side was told and said so far: the prompt, then its own earlier turns and the follow-ups."""
    if battle.item.prompt is None:
        raise ValueError(f"battle {battle.pk} has no prompt")
    said = [_messages(battle.item.prompt), *[_messages(f) for f in battle.item.follow_ups.filter(number__lte=before)]]
    turns = response.turns.filter(number__lt=before).select_related("completion").order_by("number")
    messages = list(said[0])
    for turn, follow_up in zip(turns, said[1:], strict=True):
        messages.append({"role": "assistant", "content": read_completion(turn.job)})
        messages.extend(follow_up)
    return messages


def contestant_of(response: Response) -> Contestant:
    """Every side of a battle has a contestant; a human text would have none."""
    if response.contestant is None:
        raise ValueError(f"response {response.pk} has no contestant")
    return response.contestant


def _messages(holder: Prompt | FollowUp) -> list[Message]:
    if holder.personal_text_id is None:
        return list(holder.messages or [])
    messages: list[Message] = json.loads(_unsealed(holder.personal_text_id))
    return messages


def read_completion(completion: Completion) -> str:
    if completion.personal_text_id is None:
        return completion.text or ""
    return _unsealed(completion.personal_text_id)


def _unsealed(text_id: int) -> str:
    text = read_personal_text(text_id)
    if text is None:
        raise TextErased("the visitor's texts were erased")
    return text
