"""What the pages of a campaign's items show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet, TextField
from django.db.models.functions import Cast

from annotation.enums import ItemPurpose, JudgmentKind, SlotState, TurnKind, UploadState
from annotation.models import Campaign, Item, ItemUpload, Judgment, Prompt, Response, Slot, Turn
from annotation.queries.log import by_whom
from annotation.queries.shown import ShownMedia
from inference_workers.models import Completion

LONGEST_EXCERPT = 200
MOST_UPLOADS = 50


@dataclass(frozen=True)
class ListedItem:
    """`excerpt` is what was asked last; None where it is somebody's own words. Checks want no number of judgments."""

    item: Item
    excerpt: str | None
    done: int
    wanted: int | None


@dataclass(frozen=True)
class ShownTurn:
    """`text` is None for a file, for what was not given, and for what is sealed."""

    kind: str
    text: str | None
    file: str = ""
    media: ShownMedia | None = None
    completion: Completion | None = None


@dataclass(frozen=True)
class ShownResponse:
    """`talk` has the user's next words, "" at first, before each turn."""

    letter: str
    contestant: str
    settings: str
    # From one.
    sample: int
    talk: list[tuple[str, ShownTurn]]


def campaign_items(campaign: Campaign, *, purpose: str = "", state: str = "", text: str = "") -> QuerySet[Item]:
    """Newest first. A text is looked for in prompts, but not in those that are somebody's own words."""
    items = Item.objects.filter(campaign=campaign).order_by("-pk")
    if purpose:
        items = items.filter(purpose=purpose)
    if state:
        items = items.filter(state=state)
    if text:
        # As it stands inside JSON.
        wanted = json.dumps(text, ensure_ascii=False)[1:-1]
        items = items.annotate(words=Cast("prompt__messages", TextField())).filter(words__icontains=wanted)
    return items


def listed_items(items: Sequence[Item]) -> list[ListedItem]:
    """With prompts and slots in two queries, however many items there are."""
    prompts = Prompt.objects.in_bulk({item.prompt_id for item in items if item.prompt_id})
    counted = Slot.objects.filter(item__in=items).values("item").order_by("item")
    slots = {
        row["item"]: (row["done"], row["wanted"])
        for row in counted.annotate(
            done=Count("pk", filter=Q(state=SlotState.DONE)), wanted=Count("pk", filter=~Q(state=SlotState.CANCELLED))
        )
    }
    return [_listed(item, prompts.get(item.prompt_id or 0), slots.get(item.pk, (0, 0))) for item in items]


def whole_item(campaign: Campaign, item_id: int) -> Item | None:
    """One item with everything that it shows."""
    turns = Prefetch("turns", Turn.objects.select_related("completion__revision"))
    responses = Prefetch("responses", Response.objects.select_related("contestant").prefetch_related(turns))
    whole = Item.objects.select_related("prompt", "source").prefetch_related("follow_ups", responses)
    return whole.filter(campaign=campaign, pk=item_id).first()


def shown_responses(item: Item, files: Mapping[str, ShownMedia]) -> list[ShownResponse]:
    """`files` are those of its turns, by where they are stored."""
    next_words = ["", *(_last(follow_up.messages) or "…" for follow_up in item.follow_ups.all())]
    return [
        ShownResponse(
            letter=chr(ord("A") + response.position),
            contestant=response.contestant.name if response.contestant else "",
            settings=response.contestant.settings_name if response.contestant else "",
            sample=response.sample + 1,
            talk=[
                (next_words[turn.number] if turn.number < len(next_words) else "", _shown(turn, files))
                for turn in response.turns.all()
            ],
        )
        for response in item.responses.all()
    ]


def judgments_of(item: Item) -> int:
    """People's answers that stand, whatever becomes of them in views."""
    answers = by_whom(Judgment.objects.filter(item=item, kind=JudgmentKind.ANSWER))
    return answers.filter(superseded_by__isnull=True).count()


def campaign_uploads(campaign: Campaign) -> list[ItemUpload]:
    """The newest."""
    uploads = ItemUpload.objects.filter(campaign=campaign).select_related("source")
    return list(uploads.order_by("-pk")[:MOST_UPLOADS])


def read_before(upload: ItemUpload) -> ItemUpload | None:
    """An earlier upload of the very same file whose items are in the campaign."""
    same = ItemUpload.objects.filter(
        campaign=upload.campaign_id, sha256=upload.sha256, state=UploadState.DONE, source__state="active"
    )
    return same.exclude(pk=upload.pk).order_by("pk").first()


def _listed(item: Item, prompt: Prompt | None, slots: tuple[int, int]) -> ListedItem:
    done, slots_wanted = slots
    wanted = slots_wanted if item.purpose == ItemPurpose.WORK and item.repeat_of_id is None else None
    excerpt = "" if prompt is None else _last(prompt.messages)
    return ListedItem(item, excerpt and excerpt[:LONGEST_EXCERPT], done, wanted)


def _last(messages: list[dict[str, str]] | None) -> str | None:
    return None if messages is None else messages[-1]["content"]


def _shown(turn: Turn, files: Mapping[str, ShownMedia]) -> ShownTurn:
    if turn.completion is not None and turn.kind == TurnKind.FILE:
        return ShownTurn(turn.kind, None, turn.file, files.get(turn.file), turn.completion)
    if turn.completion is not None:
        return ShownTurn(turn.kind, turn.completion.text, completion=turn.completion)
    return ShownTurn(turn.kind, turn.text, turn.file, files.get(turn.file))
