"""What somebody sees of their own battles: a list, and a board of their own votes. Models of a battle that is not voted
on are nowhere in it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.boards import CODE_VERSION, contestant_names
from annotation.enums import UNCOUNTED, JudgmentKind, Preference
from annotation.models import FollowUp, Judgment, LeaderboardSnapshot, Prompt
from annotation.queries.reactions import reactions_by_item
from annotation.questions.base import side_letter
from arena.enums import BattleState, Mode
from arena.models import Battle, Share
from arena.queries.pictures import last_picture
from arena.queries.votes import preferred_sides

PAGE = 20
# Of fewer nothing is said: one more vote could turn it round.
FEW = 5


@dataclass(frozen=True)
class OwnBattle:
    """`models` are in the order shown, by the names that the page of the battle gives; empty before the vote."""

    battle_id: UUID
    arena: str
    state: str
    prompt: str
    created_at: datetime
    models: Sequence[str] = ()
    # "A", "B" or, for neither, "".
    preferred: str = ""
    is_shared: bool = False
    # How many stand on its answers.
    reactions: int = 0
    mode: str = Mode.ANONYMOUS
    picture: str = ""

    @property
    def mode_words(self) -> str:
        """How its models came together, where the visitor had a say in it."""
        return "" if self.mode == Mode.ANONYMOUS else str(Mode(self.mode).label)

    @property
    def sides(self) -> list[tuple[str, str]]:
        """The letter of each side, and who stood there."""
        return [(side_letter(place), name) for place, name in enumerate(self.models)]

    @property
    def state_words(self) -> str:
        return str(BattleState(self.state).label)


def own_battles(person: Person, number: str) -> tuple[Page[Battle], list[OwnBattle]]:
    """A page of somebody's battles, the newest first; in as many queries for one as for thirty."""
    battles = Battle.objects.filter(assignment__respondent__person=person)
    shares = Exists(Share.objects.filter(battle=OuterRef("pk"), revoked_at__isnull=True))
    ordered = battles.annotate(is_shared=shares).select_related("arena__campaign", "item__prompt")
    page: Page[Any] = Paginator(ordered.order_by("-created_at", "-pk"), PAGE).get_page(number)
    votes = {vote.item_id: vote for vote in _votes(person).filter(item__battle__in=[each.pk for each in page])}
    names = contestant_names({pk for vote in votes.values() for pk in vote.contestants if pk})
    prompts = [each.item.prompt for each in page if each.item.prompt]
    sealed = read_personal_texts(each.personal_text_id for each in prompts if each.personal_text_id)
    reactions = reactions_by_item([each.item_id for each in page])
    return page, [_listed(each, votes.get(each.item_id), names, sealed, reactions) for each in page]


def _votes(person: Person) -> Any:
    """First judgments about battles that are voted on; a battle has one."""
    return Judgment.objects.filter(
        respondent__person=person,
        kind=JudgmentKind.ANSWER,
        supersedes__isnull=True,
        item__battle__state=BattleState.VOTED,
    )


def _listed(
    battle: Battle,
    vote: Judgment | None,
    names: Mapping[int, str],
    sealed: Mapping[int, str | None],
    reactions: Mapping[int, int],
) -> OwnBattle:
    return OwnBattle(
        battle_id=battle.pk,
        arena=str(battle.arena.campaign.name),
        state=battle.state,
        prompt=asked_words(battle.item.prompt, sealed) if battle.item.prompt else "",
        created_at=battle.created_at,
        models=[names.get(pk or 0, "") for pk in vote.contestants] if vote else (),
        preferred=", ".join(side_letter(place) for place in sorted(preferred_sides(vote))) if vote else "",
        is_shared=getattr(battle, "is_shared", False),
        reactions=reactions.get(battle.item_id, 0),
        mode=battle.mode,
        picture=asked_picture(battle.item.prompt, sealed) if battle.item.prompt else "",
    )


def asked_words(holder: Prompt | FollowUp, sealed: Mapping[int, str | None]) -> str:
    """What a person asked last in these messages; empty where it was erased."""
    messages = holder.messages or []
    if holder.personal_text_id:
        messages = json.loads(sealed[holder.personal_text_id] or "[]")
    return str(messages[-1]["content"]) if messages else ""


def asked_picture(holder: Prompt | FollowUp, sealed: Mapping[int, str | None]) -> str:
    """The id of the picture that a person added to it; empty where there is none, or it was erased."""
    return last_picture(sealed[holder.personal_text_id] or "") if holder.personal_text_id else ""


@dataclass
class OwnStanding:
    """One model in somebody's own votes. Shares and amounts are None where they would rest on fewer than five."""

    name: str
    met: int = 0
    preferred: int = 0
    # Votes that order it against the others, no difference among them.
    ordered: int = 0
    points: float = 0.0
    accepted: list[bool] = field(default_factory=list)
    amounts: list[Decimal] = field(default_factory=list)

    @property
    def is_too_few(self) -> bool:
        return self.met < FEW

    @property
    def share(self) -> float | None:
        """How often it was preferred, no difference counting half."""
        return None if self.ordered < FEW else self.points / self.ordered

    @property
    def acceptable(self) -> float | None:
        return None if len(self.accepted) < FEW else sum(self.accepted) / len(self.accepted)

    @property
    def amount(self) -> Decimal | None:
        """What its answer was worth more than the other's, on average; less than nothing where it was worth less."""
        if len(self.amounts) < FEW:
            return None
        return (sum(self.amounts, Decimal()) / len(self.amounts)).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Accord:
    """Of the votes with a preference between two models that the public board orders, how many agree with it."""

    votes: int
    agreeing: int

    @property
    def share(self) -> float | None:
        return None if self.votes < FEW else self.agreeing / self.votes


@dataclass(frozen=True)
class OwnBoard:
    """Somebody's votes in one arena."""

    arena: str
    currency: str
    votes: int
    rows: list[OwnStanding]
    accord: Accord
    # Of the votes those that count here alone, because their visitor had a say in who met.
    uncounted: int = 0


def own_boards(person: Person) -> list[OwnBoard]:
    """One for each arena in which this person has voted, the most voted in first; four queries, however many votes."""
    votes = list(_votes(person).filter(superseded_by__isnull=True).select_related("campaign", "source").order_by("pk"))
    by_arena: dict[int, list[Judgment]] = {}
    for vote in votes:
        by_arena.setdefault(vote.campaign_id, []).append(vote)
    names = contestant_names({pk for vote in votes for pk in vote.contestants if pk})
    public = _public_orders(by_arena)
    boards = [_board(found, names, public.get(campaign, {})) for campaign, found in by_arena.items()]
    return sorted(boards, key=lambda board: (-board.votes, board.arena))


def _board(votes: Sequence[Judgment], names: Mapping[int, str], public: Mapping[int, tuple[int, float]]) -> OwnBoard:
    campaign = votes[0].campaign
    rows: dict[int, OwnStanding] = {}
    for vote in votes:
        _count(vote, rows, names, campaign.currency)
    order = sorted(rows.values(), key=lambda row: (row.share is None, -(row.share or 0), -row.met, row.name))
    uncounted = sum(vote.source.kind in UNCOUNTED for vote in votes)
    decided = list(_decided(votes, public))
    accord = Accord(len(decided), sum(decided))
    return OwnBoard(str(campaign.name), campaign.currency, len(votes), order, accord, uncounted)


def _count(vote: Judgment, rows: dict[int, OwnStanding], names: Mapping[int, str], currency: str) -> None:
    best = preferred_sides(vote)
    orders = bool(best) or vote.preference == Preference.TIE or bool(vote.tiers)
    for place, pk in enumerate(vote.contestants):
        if pk is None:
            continue
        row = rows.setdefault(pk, OwnStanding(names[pk]))
        row.met += 1
        row.preferred += place in best
        if orders:
            row.ordered += 1
            row.points += _points(vote, place, best)
        if vote.acceptable and len(vote.acceptable) > place:
            row.accepted.append(vote.acceptable[place])
        if vote.net_utility is not None and vote.currency == currency and len(vote.contestants) == 2:
            row.amounts.append(vote.net_utility if place == 0 else -vote.net_utility)


def _points(vote: Judgment, place: int, best: set[int]) -> float:
    """Of the others the share that the vote puts below this side, a tie as half."""
    if vote.tiers:
        others = [tier for at, tier in enumerate(vote.tiers) if at != place]
        return sum(1.0 if tier > vote.tiers[place] else 0.5 * (tier == vote.tiers[place]) for tier in others) / max(
            1, len(others)
        )
    return 1.0 if place in best else 0.0 if best else 0.5


def _decided(votes: Iterable[Judgment], public: Mapping[int, tuple[int, float]]) -> Iterator[bool]:
    """Of each vote that prefers one of two models that the public board orders, whether the board does too."""
    for vote in votes:
        best, sides = preferred_sides(vote), [public.get(pk or 0) for pk in vote.contestants]
        if len(sides) != 2 or not best:
            continue
        (place,) = best
        mine, other = sides[place], sides[1 - place]
        # Group and rating: those of different groups have no order.
        if mine and other and mine[0] == other[0] and mine[1] != other[1]:
            yield mine[1] > other[1]


def _public_orders(campaigns: Iterable[int]) -> dict[int, dict[int, tuple[int, float]]]:
    """Group and rating of each contestant on the newest snapshot of each campaign's main board."""
    snapshots = (
        LeaderboardSnapshot.objects.filter(
            board__campaign__in=list(campaigns), board__is_public=True, board__slice={}, code_version=CODE_VERSION
        )
        .select_related("board")
        .order_by("board__campaign", "board", "-number")
        .distinct("board__campaign")
    )
    return {
        each.board.campaign_id: {
            entry["contestant"]: (entry["group"], entry["rating"])
            for entry in each.standings["entries"]
            if entry.get("rating") is not None
        }
        for each in snapshots
    }
