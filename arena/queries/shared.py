"""What the link to a battle shows. What is folded comes from a function of its own: the page that folds it has none of
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from annotation.enums import JudgmentKind, RespondentState
from annotation.models import Judgment
from annotation.queries.answered import lines_of
from annotation.queries.log import instrument_questions
from annotation.questions import get_type
from arena.enums import BattleState
from arena.models import Share
from arena.queries import Exchange, Revealed, ballot, reveal
from arena.queries.house_rules import book_in_force
from inference_workers.policies.house_rules import RuleBook

# Of the vote others see these answers; amounts and reasons in one's own words are not shared.
SHOWN_QUESTIONS = frozenset({"preference", "ranking", "acceptable"})


@dataclass(frozen=True)
class SharedBattle:
    """The conversation of a battle, without anything that tells who answered or how its visitor voted."""

    exchanges: Sequence[Exchange]
    sides: Sequence[tuple[str, str]]
    is_of_files: bool = False


@dataclass(frozen=True)
class Unfolded:
    """Who answered, and what the visitor chose: the title of each question with its answer in words."""

    models: Sequence[Revealed]
    vote: Sequence[tuple[str, str]]


def open_share(digest: str) -> Share | None:
    """None for a link that nobody made or that was revoked, and where the battle's visitor was erased, has withdrawn
    or was blocked."""
    return (
        Share.objects.select_related("battle__assignment__respondent__person", "battle__arena")
        .filter(
            token_digest=digest,
            revoked_at__isnull=True,
            battle__state=BattleState.VOTED,
            battle__assignment__respondent__state=RespondentState.ACTIVE,
            battle__assignment__respondent__person__erased_at__isnull=True,
        )
        .first()
    )


def shared_battle(share: Share) -> SharedBattle | None:
    found = ballot(share.battle_id, person=share.battle.assignment.respondent.person)
    if found is None:
        return None
    book = book_in_force(share.battle.arena)
    return SharedBattle([_masked(each, book) for each in found.exchanges], found.sides, found.is_of_files)


def _masked(exchange: Exchange, book: RuleBook) -> Exchange:
    """As the house rules of now let others read it."""
    texts = {side: book.masked(text, of_model=True) for side, text in exchange.texts.items()}
    return replace(exchange, prompt=book.masked(exchange.prompt, of_model=False), texts=texts)


def unfolded(share: Share) -> Unfolded | None:
    """None where no vote stands any more."""
    person = share.battle.assignment.respondent.person
    vote = Judgment.objects.filter(
        item=share.battle.item_id,
        respondent__person=person,
        kind=JudgmentKind.ANSWER,
        supersedes__isnull=True,
        superseded_by__isnull=True,
    ).first()
    if person is None or vote is None:
        return None
    return Unfolded(reveal(share.battle_id, person=person), list(_said(vote)))


def _said(vote: Judgment) -> list[tuple[str, str]]:
    return [
        (str(asked.title or get_type(asked.type).title), " · ".join(lines_of(asked, answer, len(vote.order))))
        for asked in instrument_questions(vote.instrument_id)
        if asked.type in SHOWN_QUESTIONS and (answer := vote.answers.get(asked.name)) is not None
    ]


def current_share(battle_id: UUID) -> Share | None:
    """The link to a battle that leads somewhere now."""
    return Share.objects.filter(battle=battle_id, revoked_at__isnull=True).first()
