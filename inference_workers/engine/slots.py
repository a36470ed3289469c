"""Keys and values of a running batch, and the attention that reads them.

Each row of the batch owns a *slot*: one line of a padded table per layer. A forward pass takes the new tokens of all
rows in one flat line, one token of each decoding row first and then pieces of prompts, so that every matrix of the
model is read once per step for all of them. Decoding rows hold the first slots, which makes their part of the tables a
plain slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

ATTENTION = "cardinal_slots"  # the name under which transformers knows `attend`
_GRAIN = 128  # the length of tables is a multiple of this
_SLOTS_AHEAD = 4  # how many more slots than asked for are made at most


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive new tokens of one slot, the first of them at position `start`."""

    slot: int
    start: int
    count: int


class UnsupportedAttention(Exception):
    """The model asks of its attention what this batch cannot do."""


class SlotTables:
    """Keys and values of all slots. Tables appear when a layer is first seen and grow with the rows that use them, in
    number and in length."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.slots = 0
        self.length = 0
        self._tables: dict[int, tuple[Tensor, Tensor]] = {}

    @property
    def bytes_per_position(self) -> int:
        """Memory of one position of one slot, over all layers seen so far."""
        return sum(
            table.element_size() * table.shape[2] * table.shape[3] for pair in self._tables.values() for table in pair
        )

    @property
    def allocated(self) -> int:
        """Bytes of all tables."""
        return sum(table.nbytes for pair in self._tables.values() for table in pair)

    def make_room(self, slots: int, length: int) -> None:
        """Have at least so many slots of at least so many positions each. An out-of-memory error from here leaves the
        tables unusable until `clear`."""
        if slots <= self.slots and length <= self.length:
            return
        if slots > self.slots:
            self.slots = max(slots, min(2 * self.slots, slots + _SLOTS_AHEAD))
        if length > self.length:
            self.length = -(-max(length, self.length * 5 // 4) // _GRAIN) * _GRAIN
        for layer, (keys, values) in self._tables.items():
            self._tables[layer] = (self._enlarged(keys), self._enlarged(values))

    def _enlarged(self, table: Tensor) -> Tensor:
        larger = table.new_zeros((self.slots, self.length, *table.shape[2:]))
        larger[: table.shape[0], : table.shape[1]] = table
        return larger

    def clear(self) -> None:
        """Give the memory back."""
        self._tables.clear()
        self.slots = self.length = 0

    def wipe(self, slot: int) -> None:
        """Forget a slot's numbers where they are not finite: hidden positions weigh 0, and 0 times NaN is NaN."""
        for pair in self._tables.values():
            for table in pair:
                table[slot] = 0

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of one slot to another."""
        self.make_room(max(source, target) + 1, length)
        for pair in self._tables.values():
            for table in pair:
                table[target, :length] = table[source, :length]

    def swap(self, one: int, other: int, length: int) -> None:
        """Exchange the first `length` positions of two slots."""
        self.make_room(max(one, other) + 1, length)
        for pair in self._tables.values():
            for table in pair:
                kept = table[one, :length].clone()
                table[one, :length] = table[other, :length]
                table[other, :length] = kept

    def write(self, layer: int, places: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store new keys and values (1, heads, tokens, width) at flat places; returns the layer's whole tables, each
        (slots, positions, heads, width)."""
        if layer not in self._tables:
            self._tables[layer] = (self._new_table(key), self._new_table(value))
        pair = self._tables[layer]
        for table, new in zip(pair, (key, value), strict=True):
            table.view(-1, *table.shape[2:]).index_copy_(0, places, new[0].transpose(0, 1))
        return pair

    def _new_table(self, new: Tensor) -> Tensor:
        return new.new_zeros((self.slots, self.length, new.shape[1], new.shape[3]))


@dataclass(slots=True)
class StepPlan:
    """Where the tokens of one forward pass belong: first one token for each of the slots 0, 1, … at `positions`, then
    the pieces in order. All that layers share is made once."""

    tables: SlotTables
    positions: Sequence[int]
    pieces: Sequence[Piece]
    places: Tensor = field(init=False)
    position_ids: Tensor = field(init=False)
    _masks: dict[Any, Tensor] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        slots = list(range(len(self.positions)))
        positions = list(self.positions)
        for piece in self.pieces:
            slots += [piece.slot] * piece.count
            positions += range(piece.start, piece.start + piece.count)
        self.tables.make_room(max(slots) + 1, max(positions) + 1)
        at = torch.tensor([slots, positions], dtype=torch.long, device=self.tables.device)
        self.position_ids = at[1:]
        self.places = at[0] * self.tables.length + at[1]

    @property
    def decode_length(self) -> int:
        """Positions that the longest decoding row reaches, its new token included."""
        return max(self.positions) + 1

    def decode_mask(self, window: int | None) -> Tensor:
        """Which positions each decoding row sees: (rows, 1, 1, decode_length)."""
        key = ("decode", window)
        if key not in self._masks:
            query = self.position_ids[0, : len(self.positions), None, None, None]
            self._masks[key] = self._visible(query, self.decode_length, window)
        return self._masks[key]

    def piece_mask(self, piece: Piece, window: int | None) -> Tensor:
        """Which positions each token of a piece sees: (tokens, positions up to the piece's end)."""
        key = (piece, window)
        if key not in self._masks:
            query = torch.arange(piece.start, piece.start + piece.count, device=self.tables.device)[:, None]
            self._masks[key] = self._visible(query, piece.start + piece.count, window)
        return self._masks[key]

    def _visible(self, query: Tensor, length: int, window: int | None) -> Tensor:
        position = torch.arange(length, device=self.tables.device)
        visible = position <= query
        return visible if window is None else visible & (position > query - window)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    plan: StepPlan | None = None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention in the form transformers calls it: query (1, heads, tokens, width), result (1, tokens, heads, width).
    Raises UnsupportedAttention if the model passes no plan on or wants what slots cannot do."""
    if plan is None or options.get("softcap") is not None or options.get("s_aux") is not None:
        raise UnsupportedAttention(type(module).__name__)
    keys, values = plan.tables.write(int(module.layer_idx), plan.places, key, value)
    parts = []
    rows = len(plan.positions)
    if rows:
        mask = plan.decode_mask(sliding_window)
        parts.append(_attend_decoding(query[0, :, :rows], keys, values, mask, scaling))
    at = rows
    for piece in plan.pieces:
        mask = plan.piece_mask(piece, sliding_window)
        part = query[:, :, at : at + piece.count]
        parts.append(_attend_piece(part, keys[piece.slot], values[piece.slot], mask, scaling))
        at += piece.count
    return torch.cat(parts).unsqueeze(0), None


def _attend_decoding(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scaling: float | None) -> Tensor:
    """One token per row. The query heads that share a key head stand where a longer query would have its tokens, so
    keys and values need not be repeated for them."""
    heads, rows, width = query.shape
    groups = keys.shape[2]
    grouped = query.transpose(0, 1).reshape(rows, groups, heads // groups, width)
    length = mask.shape[-1]
    out = scaled_dot_product_attention(
        grouped,
        keys[:rows, :length].transpose(1, 2),
        values[:rows, :length].transpose(1, 2),
        attn_mask=mask.expand(-1, -1, heads // groups, -1),
        scale=scaling,
    )
    return out.reshape(rows, heads, -1)


def _attend_piece(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scaling: float | None) -> Tensor:
    length = mask.shape[-1]
    out = scaled_dot_product_attention(
        query,
        keys[:length].transpose(0, 1).unsqueeze(0),
        values[:length].transpose(0, 1).unsqueeze(0),
        attn_mask=mask,
        scale=scaling,
        enable_gqa=query.shape[1] != keys.shape[1],
    )
    return out[0].transpose(0, 1)
