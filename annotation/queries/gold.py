"""What gold can be made from, and the gold that waits to be checked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from annotation.enums import GoldWay, ItemPurpose, ItemState, Preference, TurnKind
from annotation.models import Campaign, Generation, Item, Response, Turn
from annotation.policies.degrading import Piece, differences
from annotation.queries.log import standing_judgments
from inference_workers.enums import CompletionState

ANY, ACCEPTABLE, BEST = "any", "acceptable", "best"
# Of so many the originals are drawn.
MOST_CANDIDATES = 20_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A response that a copy could be made of, by its item and position."""

    response: int
    item: int
    position: int
    prompt: int


@dataclass(frozen=True)
class Proposal:
    """A gold item before an admin, its responses by position with their differences marked."""

    item: Item
    way: str
    asked: str
    elsewhere: str
    sides: list["ProposedSide"]


@dataclass(frozen=True)
class ProposedSide:
    letter: str
    is_original: bool
    pieces: list[Piece]


def candidates(campaign: Campaign, origin: str) -> list[Candidate]:
    """Responses of one turn, of texts that are nobody's own, in the order of their ids."""
    plain = Q(turns__kind=TurnKind.TEXT, turns__text__isnull=False) | Q(
        turns__kind=TurnKind.COMPLETION,
        turns__completion__state=CompletionState.SUCCEEDED,
        turns__completion__text__isnull=False,
    )
    found = Response.objects.filter(
        plain,
        item__campaign=campaign,
        item__purpose=ItemPurpose.WORK,
        item__repeat_of__isnull=True,
        item__state__in=[ItemState.OPEN, ItemState.FROZEN],
        item__prompt__isnull=False,
        item__follow_ups__isnull=True,
    )
    if origin != ANY:
        judged = liked(campaign, origin)
        found = found.filter(item__in={item for item, _position in judged})
    rows = found.order_by("pk").values_list("pk", "item_id", "position", "item__prompt_id")
    chosen = [Candidate(*row) for row in rows[:MOST_CANDIDATES]]
    return chosen if origin == ANY else [each for each in chosen if (each.item, each.position) in judged]


def liked(campaign: Campaign, origin: str) -> set[tuple[int, int]]:
    """Items and positions of the responses that most of those who judged them called acceptable, or the best."""
    votes: dict[tuple[int, int], list[bool]] = defaultdict(list)
    columns = ("item_id", "order", "preference", "acceptable", "thumb", "tiers", "scores")
    for row in standing_judgments(campaign).order_by().values(*columns).iterator():
        said = _acceptable(row) if origin == ACCEPTABLE else _best(row)
        for place, position in enumerate(row["order"]):
            if said is not None and place < len(said):
                votes[row["item_id"], position].append(said[place])
    return {key for key, each in votes.items() if sum(each) * 2 > len(each)}


def _acceptable(row: dict[str, object]) -> Sequence[bool] | None:
    if row["thumb"] is not None:
        return [bool(row["thumb"])]
    return row["acceptable"]  # type: ignore[return-value]


def _best(row: dict[str, object]) -> Sequence[bool] | None:
    """Whether each response, as shown, was put before the others; a tie puts none before."""
    if row["preference"]:
        return [row["preference"] == side for side in (Preference.A, Preference.B)]
    tiers: Sequence[int] | None = row["tiers"]  # type: ignore[assignment]
    if tiers:
        return [tier == 1 and tiers.count(1) == 1 for tier in list(tiers)]
    scores: Sequence[float | None] | None = row["scores"]  # type: ignore[assignment]
    known = [score for score in scores or [] if score is not None]
    if scores and known:
        return [score == max(known) and known.count(score) == 1 for score in scores]
    return [True] if row["thumb"] else None


def texts_of(responses: Sequence[int]) -> dict[int, str]:
    rows = Turn.objects.filter(response__in=responses).values_list("response_id", "text", "completion__text")
    return {response: text if text is not None else written or "" for response, text, written in rows}


def made_already(campaign: Campaign) -> set[tuple[int, int]]:
    """Items and positions of responses that have a gold item, or are proposed for one."""
    gold = Item.objects.filter(campaign=campaign, made__isnull=False).exclude(state=ItemState.VOID)
    return {(made["item"], made["position"]) for made in gold.values_list("made", flat=True) if made}


def explanation_of(item: Item) -> str:
    """What a right answer is right for: as it was written, or by how the item was made."""
    if item.explanation or item.made is None:
        return item.explanation
    ways = set(item.made.get("ways", {}).values())
    if not ways:
        return _("This response is complete and answers what was asked.")
    if len(ways) > 1:
        return _("One response is whole; the others are copies of it that were made worse.")
    return {
        GoldWay.TRUNCATED: _("One response breaks off before its end."),
        GoldWay.SENTENCES: _("In one response the sentences are out of order."),
        GoldWay.WORDS: _("In one response the words are out of order."),
        GoldWay.OTHER_PROMPT: _("One response answers something that was not asked."),
    }[GoldWay(ways.pop())]


def proposed_items(campaign: Campaign) -> QuerySet[Item]:
    return Item.objects.filter(campaign=campaign, state=ItemState.PROPOSED).order_by("pk")


def proposals(items: Sequence[Item]) -> list[Proposal]:
    """With their texts and differences, in three statements however many there are."""
    turns = Turn.objects.filter(response__item__in=items).values_list("response__item_id", "response__position", "text")
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    for item_id, position, text in turns:
        texts[item_id][position] = text or ""
    others = {item.pk: (item.made or {}).get("other") for item in items}
    known = Item.objects.select_related("prompt").in_bulk([pk for pk in others.values() if pk is not None])
    return [_proposal(item, texts[item.pk], known.get(others[item.pk] or 0)) for item in items]


def _proposal(item: Item, texts: dict[int, str], other: Item | None) -> Proposal:
    made = item.made or {}
    way, original = made.get("way", ""), made.get("original")
    sides = []
    for position, text in sorted(texts.items()):
        others = [each for place, each in sorted(texts.items()) if place != position]
        if original is None or not others:
            pieces: list[Piece] = [(text, False)]
        elif position == original:
            pieces = differences(text, others[0], way=way)[0] if len(others) == 1 else [(text, False)]
        else:
            pieces = differences(texts[original], text, way=made.get("ways", {}).get(str(position), way))[1]
        sides.append(ProposedSide(chr(ord("A") + position), position == original, pieces))
    label = str(GoldWay(way).label) if way in GoldWay.values else ""
    return Proposal(item, label, _asked(item), _asked(other) if other else "", sides)


def _asked(item: Item) -> str:
    messages = item.prompt.messages if item.prompt else None
    return messages[-1]["content"] if messages else ""


def gold_generations(campaign: Campaign) -> list[Generation]:
    """The newest, with what became of their items."""
    counted = Generation.objects.filter(campaign=campaign, kind="gold").annotate(
        proposed=Count("items", filter=Q(items__state=ItemState.PROPOSED)),
        taken=Count("items", filter=Q(items__state__in=[ItemState.OPEN, ItemState.FROZEN])),
        discarded=Count("items", filter=Q(items__state=ItemState.VOID)),
        who=F("created_by__user__username"),
    )
    return list(counted.order_by("-pk")[:20])
