"""What a batch of checked items is in the log: rows of its tables, in the order in which they must be written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.enums import ItemPurpose, ItemState, SlotState, TurnKind
from annotation.imports.item_spool import NOBODY
from annotation.imports.rows import batch_of
from annotation.models import FollowUp, Item, Response, Slot, Turn


@dataclass(frozen=True)
class ItemDestination:
    """Where a file's items go: `contestants` gives the ids by code, `overlap` the judgments that work wants.

    `sets` are the guidelines whose training and test are taken now, by purpose: new items of them join these.
    """

    campaign: int
    source: int
    contestants: np.ndarray
    overlap: int
    responses: int
    sets: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemIds:
    """Reserved ids of the items and of their responses, and each item's prompt."""

    items: np.ndarray
    responses: np.ndarray
    prompts: np.ndarray


def item_rows(batch: pa.RecordBatch, to: ItemDestination, ids: ItemIds) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The tables and their rows, prompts left out: they are there already."""
    yield Item._meta.db_table, _items(batch, to, ids)
    follow_ups = batch["follow_ups"]
    if len(follow_ups.flatten()):
        yield FollowUp._meta.db_table, _follow_ups(follow_ups, ids)
    yield Response._meta.db_table, _responses(batch, to, ids)
    yield Turn._meta.db_table, _turns(batch, to, ids)
    slots = _slots(batch, to, ids)
    if len(slots):
        yield Slot._meta.db_table, slots


def _items(batch: pa.RecordBatch, to: ItemDestination, ids: ItemIds) -> pa.RecordBatch:
    named = ("prompt_key", "category", "flags", "warnings", "language", "purpose", "expected", "explanation")
    return batch_of(
        len(batch),
        id=ids.items,
        campaign_id=to.campaign,
        source_id=to.source,
        prompt_id=ids.prompts,
        state=ItemState.OPEN.value,
        test_of_id=pa.array([to.sets.get(purpose) for purpose in batch["purpose"].to_pylist()], pa.int64()),
        **{name: batch[name] for name in named},
    )


def _follow_ups(follow_ups: pa.Array, ids: ItemIds) -> pa.RecordBatch:
    counts = _lengths(follow_ups)
    messages = follow_ups.flatten()
    return batch_of(len(messages), item_id=np.repeat(ids.items, counts), number=_places(counts) + 1, messages=messages)


def _responses(batch: pa.RecordBatch, to: ItemDestination, ids: ItemIds) -> pa.RecordBatch:
    codes = batch["models"].flatten().to_numpy()
    known = np.append(to.contestants, 0)[codes]
    return batch_of(
        len(ids.responses),
        id=ids.responses,
        item_id=np.repeat(ids.items, to.responses),
        position=np.tile(np.arange(to.responses), len(batch)),
        contestant_id=pa.array(known, mask=codes == NOBODY),
        digest="",
    )


def _turns(batch: pa.RecordBatch, to: ItemDestination, ids: ItemIds) -> pa.RecordBatch:
    texts, files = batch["turns"].flatten(), batch["files"].flatten()
    is_file = pc.is_valid(files)
    counts = np.repeat(_lengths(batch["turns"]) // to.responses, to.responses)
    return batch_of(
        len(texts),
        response_id=np.repeat(ids.responses, counts),
        number=_places(counts),
        kind=pc.if_else(is_file, TurnKind.FILE.value, TurnKind.TEXT.value),
        text=pc.if_else(is_file, pa.scalar(None, pa.string()), texts),
        file=pc.fill_null(files, ""),
        replacements=0,
    )


def _slots(batch: pa.RecordBatch, to: ItemDestination, ids: ItemIds) -> pa.RecordBatch:
    """For work alone: checks get theirs when they are claimed."""
    work = pc.equal(batch["purpose"], ItemPurpose.WORK.value).to_numpy(zero_copy_only=False)
    items = ids.items[work]
    low, high = _pairs(batch, to)
    together = pa.array(low < high)
    pairs = {
        name: pc.if_else(together, pa.array(ends), pa.scalar(None, pa.int64())).filter(pa.array(work))
        for name, ends in (("pair_low", low), ("pair_high", high))
    }
    return batch_of(
        len(items) * to.overlap,
        item_id=np.repeat(items, to.overlap),
        campaign_id=to.campaign,
        number=np.tile(np.arange(1, to.overlap + 1), len(items)),
        state=SlotState.OPEN.value,
        **{name: ends.take(np.repeat(np.arange(len(items)), to.overlap)) for name, ends in pairs.items()},
    )


def _pairs(batch: pa.RecordBatch, to: ItemDestination) -> tuple[np.ndarray, np.ndarray]:
    """(n,), (n,) the ids of each item's two contestants, the smaller first; the same twice where there are not two."""
    codes = batch["models"].flatten().to_numpy().reshape(-1, to.responses)
    if to.responses != 2:
        return np.zeros(len(batch), dtype=np.int64), np.zeros(len(batch), dtype=np.int64)
    known = np.append(to.contestants, 0).astype(np.int64)[codes]
    known[(codes == NOBODY).any(axis=1)] = 0
    return known.min(axis=1), known.max(axis=1)


def _lengths(lists: pa.Array) -> np.ndarray:
    lengths: np.ndarray = lists.value_lengths().to_numpy()
    return lengths


def _places(counts: np.ndarray) -> np.ndarray:
    """0, 1, … anew for each count."""
    places: np.ndarray = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return places
