"""What pages and streams may know. Before the vote nothing here holds a model's name, slug or id."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.boards import CODE_VERSION, contestant_names
from annotation.boards.wording import standing_words
from annotation.models import Board, Contestant, Judgment, LeaderboardSnapshot, Turn
from annotation.policies.arms import price_direction
from annotation.queries import SHOWN, instrument_questions, main_board, texts_if_read
from annotation.questions import Asked, Situation
from arena.enums import BattleState, Mode
from arena.models import Arena, Battle
from arena.queries.answering import SIDES
from arena.queries.arenas import default_arena, playing_models
from arena.queries.conversations import history_of
from arena.queries.files import BattleFile, files_of, players_of
from arena.queries.pictures import last_picture
from arena.queries.reactions import Reactions, reactions_of
from arena.queries.sets import names_chosen
from arena.queries.votes import place_of, preferred_sides
from foundation.database import planned_cursor
from inference_workers.enums import CompletionState, Output
from inference_workers.policies.releases import may_be_named


def default_board() -> Board | None:
    """The board of all votes of the default arena; None before there is one."""
    arena = default_arena()
    return None if arena is None else main_board(arena.campaign)


def arena_of(board: Board) -> Arena | None:
    """The arena of which all votes are on this board; None where it is another campaign's, or holds a part."""
    if board.slice:
        return None
    return Arena.objects.select_related("campaign").filter(campaign=board.campaign_id).first()


def waiting_models(arena: Arena, listed: Collection[int]) -> list[str]:
    """Models that its battles may draw but that are none of the contestants `listed`: nobody has voted on them.

    An edited model waits beside its former self, so its revision is said.
    """
    rows = (
        playing_models(arena)
        .exclude(current__contestants__in=listed)
        .order_by("name")
        .values_list("name", "current__number")
    )
    return [
        name if number == 1 else _("%(name)s, revision %(number)d") % {"name": name, "number": number}
        for name, number in rows
    ]


@dataclass(frozen=True)
class BoardNews:
    """How far a board is: the number of its newest snapshot, 0 before the first, and its points of this moment."""

    number: int
    sequence: int  # of the log entry up to which points count, 0 where nothing was counted
    comparisons: int
    points: Mapping[str, float]  # by contestant's id


def board_news(slug: str) -> BoardNews | None:
    """None where there is no such public board."""
    boards = Board.objects.filter(SHOWN, slug=slug).annotate(newest=Max("snapshots__number"))
    found = boards.values_list("newest", "live__last_sequence", "live__comparisons", "live__points").first()
    if found is None:
        return None
    number, sequence, comparisons, points = found
    return BoardNews(number or 0, sequence or 0, comparisons or 0, points or {})


@dataclass(frozen=True)
class Exchange:
    """One turn as it is read: what was asked and, once all models have answered, what each side said."""

    number: int
    prompt: str
    texts: Mapping[str, str] = field(default_factory=dict)  # by side; empty until all have answered
    # How often all sides were asked anew for it.
    regenerations: int = 0
    # What its visitor says of each side's answer, by the side.
    reactions: Mapping[str, Reactions] = field(default_factory=dict)
    # By side, where the battle is of files; its texts are empty then.
    files: Mapping[str, BattleFile] = field(default_factory=dict)
    # The id of the picture that was asked about; empty where there is none.
    picture: str = ""

    @property
    def sides(self) -> list[tuple[str, str, str, BattleFile | None]]:
        """Side, letter, text and file, in the order shown."""
        return [(side, side.upper(), self.texts[side], self.files.get(side)) for side in SIDES if side in self.texts]

    @property
    def answers(self) -> list[tuple[str, str, str, BattleFile | None, Reactions]]:
        """The same with what is said of each."""
        return [(*each, self.reactions[each[0]]) for each in self.sides]


@dataclass(frozen=True)
class Ballot:
    """Everything a battle page shows before the vote. It holds no model's name, by construction, but where the visitor
    chose to see them."""

    battle_id: UUID
    state: str
    turn_count: int
    turns_left: int
    exchanges: list[Exchange]
    contestants: int = 2
    regenerations: int = 0
    regenerations_left: int = 0
    # What all sides know from earlier parts of the conversation: role, text and the id of a picture.
    history: list[tuple[str, str, str]] = field(default_factory=list)
    mode: str = Mode.ANONYMOUS
    # Whether the next turn may have a picture.
    takes_images: bool = False
    # By side; only where the visitor named the models, and so knows them from the start.
    names: Mapping[str, str] = field(default_factory=dict)
    # What the models answer with.
    output: str = Output.TEXT
    # When the answers of the current turn may be read; no page says it.
    opens_at: datetime | None = None

    @property
    def sides(self) -> list[tuple[str, str]]:
        """Side and letter, in the order shown."""
        return [(side, side.upper()) for side in SIDES[: self.contestants]]

    @property
    def is_of_files(self) -> bool:
        return self.output != Output.TEXT

    @property
    def is_answering(self) -> bool:
        return self.state == BattleState.ANSWERING

    def is_due(self, now: datetime) -> bool:
        """Whether somebody has to open it, which a look alone does not."""
        return self.is_answering and self.opens_at is not None and self.opens_at <= now

    @property
    def is_votable(self) -> bool:
        return self.state == BattleState.VOTABLE

    @property
    def was_cut_off(self) -> bool:
        """Left or stopped while the models were writing."""
        return self.state == BattleState.ABANDONED and not self.exchanges[-1].texts


def ballot(battle_id: UUID, *, person: Person | None) -> Ballot | None:
    """The battle as its visitor may see it; None where there is no such battle of this person."""
    read_with = Battle.objects.select_related("impression", "arena", "item__prompt")
    battle = read_with.filter(pk=battle_id, assignment__respondent__person=person).first() if person else None
    if battle is None:
        return None
    said = [battle.item.prompt, *battle.item.follow_ups.all()]
    ordered = Turn.objects.filter(response__item=battle.item_id).order_by("number")
    turns = list(ordered.select_related("response", "completion"))
    read = _read_all(said, turns)
    side_of = {position: SIDES[place] for place, position in enumerate(battle.impression.order)}
    whole = _whole(battle, turns, side_of, read)
    files = files_of(battle, turns, side_of)
    reactions, anew = reactions_of(turns, side_of), {turn.number: turn.regenerations for turn in turns}
    return Ballot(
        battle_id=battle.pk,
        state=battle.state,
        turn_count=battle.turn_count,
        turns_left=max(0, battle.arena.max_turns - battle.turns_before - battle.turn_count),
        exchanges=[
            # A turn that is still being answered shows no side, and one that never was: the sides that are there would
            # name the faster models, or the one that failed.
            _exchange(words, number, whole, anew, reactions, files)
            for number, words in enumerate(map(read, said))
        ],
        contestants=len(battle.impression.order),
        regenerations=battle.regenerations,
        history=history_of(read(battle.item.prompt)),
        regenerations_left=max(0, battle.arena.max_regenerations - anew.get(battle.turn_count - 1, 0)),
        mode=battle.mode,
        takes_images=battle.takes_images,
        names=names_chosen(battle, side_of),
        output=battle.arena.output,
        opens_at=battle.opens_at,
    )


def _exchange(
    words: str,
    number: int,
    texts: Mapping[int, dict[str, str]],
    anew: Mapping[int, int],
    said: Mapping[int, Mapping[str, Reactions]],
    files: Mapping[int, Mapping[str, BattleFile]],
) -> Exchange:
    return Exchange(
        number,
        _last_words(words),
        texts.get(number, {}),
        regenerations=anew.get(number, 0),
        reactions=said.get(number, {}),
        files=files.get(number, {}),
        picture=last_picture(words),
    )


def _whole(
    battle: Battle, turns: list[Turn], side_of: Mapping[int, str], read: Callable[[Any], str]
) -> dict[int, dict[str, str]]:
    """By turn what all sides said, where all have and it may be read."""
    answers: dict[int, dict[str, str]] = {}
    for turn in turns:
        if turn.job.state == CompletionState.SUCCEEDED:
            answers.setdefault(turn.number, {})[side_of[turn.response.position]] = read(turn.job)
    return {
        number: each for number, each in answers.items() if battle.shows(number) and set(each) == set(side_of.values())
    }


def _read_all(said: list[Any], turns: list[Turn]) -> Callable[[Any], str]:
    ids = [each.personal_text_id for each in [*said, *(turn.job for turn in turns)] if each.personal_text_id]
    sealed = read_personal_texts(ids)

    def read(holder: Any) -> str:
        if holder.personal_text_id:
            return sealed[holder.personal_text_id] or ""
        return getattr(holder, "text", None) or json.dumps(getattr(holder, "messages", None) or [])

    return read


def _last_words(messages: str) -> str:
    return str(json.loads(messages)[-1]["content"]) if messages else ""


@dataclass(frozen=True)
class BattleQuestions:
    questions: list[Asked]
    situation: Situation
    # What of sounds and films must be played, and the seconds of each side's.
    played_share: float | None = None
    players: Sequence[Mapping[str, float]] = ()


# Read on every vote, where the work of building the same query anew is a tenth of the whole.
ASKED = """
SELECT m.instrument_id, m.questions_asked, m."order", c.currency, m.item_id, m.respondent_id, c.played_share, n.output,
    ARRAY(SELECT j.amount_low FROM annotation_judgment j WHERE j.respondent_id = m.respondent_id AND j.amount_low > 0)
FROM arena_battle b
JOIN arena_arena n ON n.id = b.arena_id
JOIN annotation_impression m ON m.id = b.impression_id
JOIN annotation_campaign c ON c.id = m.campaign_id
JOIN annotation_respondent r ON r.id = m.respondent_id
WHERE b.id = %(battle)s AND r.person_id = %(person)s
"""


def asked_of(battle_id: UUID, *, person: Person | None) -> BattleQuestions | None:
    """What this battle's impression asks, and in which unit; None where there is no such battle of this person."""
    if person is None:
        return None
    with planned_cursor() as cursor:
        cursor.execute(ASKED, {"battle": battle_id, "person": person.pk})
        found = cursor.fetchone()
    if found is None:
        return None
    instrument, asked, order, currency, item, respondent, share, output, amounts = found
    questions = [question for question in instrument_questions(instrument) if question.name in asked]
    situation = Situation(
        responses=len(order),
        currency=currency,
        own_median_amount=median(amounts) if amounts else None,
        texts=texts_if_read(questions, item, order),
        price_direction=price_direction(respondent),
    )
    players = players_of(item, order) if output in (Output.AUDIO, Output.VIDEO) else ()
    return BattleQuestions(questions, situation, share, players)


@dataclass(frozen=True)
class Revealed:
    """One side after the vote."""

    side: str
    name: str
    organisation: str
    # Alone above all others.
    preferred: bool
    standing: dict[str, Any] | None
    # The standing in one line; empty where there is none.
    standing_words: str
    # In the visitor's order of more than two, 1 for the best; None where they put them in none.
    place: int | None = None

    @property
    def letter(self) -> str:
        return self.side.upper()


def reveal(battle_id: UUID, *, person: Person) -> list[Revealed]:
    """Who answered, in the order shown. Empty until the vote is committed, whoever asks."""
    judgment = (
        Judgment.objects.filter(
            item__battle=battle_id,
            item__battle__state=BattleState.VOTED,
            respondent__person=person,
            supersedes__isnull=True,
        )
        .select_related("campaign")
        .first()
    )
    if judgment is None:
        return []
    contestants = Contestant.objects.select_related("revision__language_model").in_bulk(judgment.contestants)
    names = contestant_names(contestants)
    standings = newest_standings(judgment.campaign_id)
    best, revealed = preferred_sides(judgment), []
    for place, (side, pk) in enumerate(zip(SIDES, judgment.contestants, strict=False)):
        contestant = contestants[pk]
        model = contestant.served.language_model
        is_named = may_be_named(visibility=model.visibility, released_at=model.released_at)
        organisation = model.organisation if is_named else ""
        standing = standings.get(pk)
        words = standing_words(standing) if standing else ""
        revealed.append(
            Revealed(side, names[pk], organisation, place in best, standing, words, place_of(judgment, place))
        )
    return revealed


def newest_standings(campaign_id: int) -> dict[int, dict[str, Any]]:
    """The entries of the campaign's main board by contestant; empty before its first snapshot."""
    snapshot = (
        LeaderboardSnapshot.objects.filter(board__campaign=campaign_id, board__is_public=True, board__slice={})
        .filter(code_version=CODE_VERSION)
        .order_by("board_id", "-number")
        .first()
    )
    return {} if snapshot is None else {entry["contestant"]: entry for entry in snapshot.standings["entries"]}
