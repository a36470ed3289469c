"""Somebody's battles with every word in them, as they leave in the file of what is stored of that person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.boards import contestant_names
from annotation.enums import JudgmentKind
from annotation.models import EarlierTurn, FollowUp, Judgment, Prompt, Turn
from annotation.questions.base import side_letter
from arena.enums import BattleState
from arena.models import Battle
from arena.queries.own import asked_picture, asked_words
from inference_workers.enums import CompletionState
from inference_workers.models import Completion, CompletionFile

CHUNK = 100


def own_conversations(person: Person) -> Iterator[dict[str, Any]]:
    """The oldest first, in a few queries for each hundred."""
    battles = (
        Battle.objects.filter(assignment__respondent__person=person)
        .select_related("arena__campaign", "item__prompt", "impression")
        .prefetch_related("item__follow_ups")
        .order_by("created_at", "pk")
    )
    known = list(battles.values_list("pk", flat=True))
    for start in range(0, len(known), CHUNK):
        yield from _read(list(battles.filter(pk__in=known[start : start + CHUNK])))


def _read(battles: Sequence[Battle]) -> Iterator[dict[str, Any]]:
    items = [battle.item_id for battle in battles]
    turns: dict[int, list[Turn]] = {}
    for turn in Turn.objects.filter(response__item__in=items).select_related("response", "completion__file"):
        turns.setdefault(turn.response.item_id, []).append(turn)
    earlier = _earlier_of(items)
    votes = _contestants_of(items)
    names = contestant_names({pk for contestants in votes.values() for pk in contestants if pk})
    said = {
        battle.pk: [each for each in (battle.item.prompt, *battle.item.follow_ups.all()) if each] for battle in battles
    }
    holders = [each for spoken in said.values() for each in spoken]
    jobs = [turn.completion for found in turns.values() for turn in found if turn.completion]
    jobs += [each.completion for found in earlier.values() for each in found]
    texts = read_personal_texts(each.personal_text_id for each in [*holders, *jobs] if each.personal_text_id)
    for battle in battles:
        models = {side_letter(place): names.get(pk or 0, "") for place, pk in enumerate(votes.get(battle.item_id, ()))}
        yield {
            "id": battle.pk,
            "item": battle.item_id,
            "arena": battle.arena.campaign.slug,
            "state": battle.state,
            "continues": battle.continues_id,
            "base": battle.base_choice,
            "mode": battle.mode,
            "created_at": battle.created_at,
            "answered_at": battle.answered_at,
            "ended_at": battle.ended_at,
            "turns": [
                _asked(each, texts) | {"answers": answers, "earlier": before}
                for each, answers, before in zip(
                    said[battle.pk],
                    _answers(battle, turns.get(battle.item_id, []), texts),
                    _earlier(battle, earlier.get(battle.item_id, []), texts),
                    strict=True,
                )
            ],
            "models": models,
        }


def _asked(said: Prompt | FollowUp, texts: Mapping[int, str | None]) -> dict[str, Any]:
    """With the id of its picture, where it has one, which stands in another part of the file."""
    picture = asked_picture(said, texts)
    return {"prompt": asked_words(said, texts), **({"picture": picture} if picture else {})}


def _answers(battle: Battle, turns: Sequence[Turn], texts: Mapping[int, str | None]) -> list[dict[str, str | None]]:
    """Of every turn what each side said, where all have answered. A turn of which one side is ready would name the
    faster model, and a turn of which one side failed says whose it was.
    """
    letters = {position: side_letter(place) for place, position in enumerate(battle.impression.order)}
    found: list[dict[str, str | None]] = []
    for number in range(battle.turn_count):
        sides = [turn for turn in turns if turn.number == number]
        is_whole = len(sides) == len(letters) and all(_is_answered(turn) for turn in sides)
        is_shown = is_whole and battle.shows(number)
        by_letter = sorted((letters[turn.response.position], turn) for turn in sides) if is_shown else []
        found.append({letter: _answer(turn, texts) for letter, turn in by_letter})
    return found


def _contestants_of(items: Sequence[int]) -> dict[int, list[int | None]]:
    """As shown, of the items that were voted on and whose models are told."""
    told = Judgment.objects.filter(item__in=items, item__battle__state=BattleState.VOTED)
    firsts = told.filter(kind=JudgmentKind.ANSWER, supersedes__isnull=True)
    return {vote.item_id: vote.contestants for vote in firsts}


def _earlier_of(items: Sequence[int]) -> dict[int, list[EarlierTurn]]:
    """By item what was said before its sides were asked anew, the first first."""
    found: dict[int, list[EarlierTurn]] = {}
    before = EarlierTurn.objects.filter(turn__response__item__in=items).order_by("number", "turn__response__position")
    for each in before.select_related("turn__response", "completion__file"):
        found.setdefault(each.turn.response.item_id, []).append(each)
    return found


def _earlier(
    battle: Battle, earlier: Sequence[EarlierTurn], texts: Mapping[int, str | None]
) -> list[list[dict[str, str | None]]]:
    """Of every turn what all sides had said before they were asked anew; they were whole then."""
    letters = {position: side_letter(place) for place, position in enumerate(battle.impression.order)}
    turns: list[dict[int, dict[str, str | None]]] = [{} for _turn in range(battle.turn_count)]
    for each in earlier:
        said = _said(each.completion, texts)
        turns[each.turn.number].setdefault(each.number, {})[letters[each.turn.response.position]] = said
    return [[dict(sorted(said.items())) for said in found.values()] for found in turns]


def _is_answered(turn: Turn) -> bool:
    return turn.completion is None or turn.completion.state == CompletionState.SUCCEEDED


def _answer(turn: Turn, texts: Mapping[int, str | None]) -> str | None:
    return _said(turn.completion or turn, texts)


def _said(holder: Completion | Turn, texts: Mapping[int, str | None]) -> str | None:
    """A file by its digest: its content stands elsewhere in the file of one's own data."""
    file: CompletionFile | None = getattr(holder, "file", None) if isinstance(holder, Completion) else None
    if file is not None:
        return f"sha256:{file.sha256}"
    return texts[holder.personal_text_id] if holder.personal_text_id else holder.text
