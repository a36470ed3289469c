"""Who gave which value to which item: the input of every coefficient in this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Bools, Floats, Ints, frozen, picked
from ..clusters import number
from ..errors import BadValue, ShapeMismatch, UnknownIndex


@dataclass(frozen=True, eq=False, kw_only=True)
class ItemJudgments:
    """n values given to items, row by row in the order they were given.

    A value is any finite number: a code of a category (0, ½, 1 for a comparison), a grade, an amount. Where sides are
    shown in random order, write it towards the contestant, not the side, or people who agree will seem not to. Where
    an annotator judged an item again, agreement between people takes the first answer, `retest_agreement` all.
    Raises ShapeMismatch, UnknownIndex, BadValue.
    """

    item: Ints  # (n,) 0 and up
    annotator: Ints  # (n,) 0..annotators-1; -1 = unknown, somebody different in each row
    value: Floats  # (n,) finite
    annotators: int  # A, how many there are

    def __post_init__(self) -> None:
        lengths = {name: np.shape(getattr(self, name)) for name in ("item", "annotator", "value")}
        if len(set(lengths.values())) > 1 or len(lengths["item"]) != 1:
            raise ShapeMismatch(f"item, annotator and value need one entry per judgment; shapes are {lengths}.")
        for name, least, most in (("item", 0, np.inf), ("annotator", -1, self.annotators - 1)):
            index = np.asarray(getattr(self, name))
            if index.size and (
                index.dtype.kind not in "iu" or not least <= int(index.min()) <= int(index.max()) <= most
            ):
                raise UnknownIndex(f"{name} must hold integers from {least} to {most}; number the labels first.")
            object.__setattr__(self, name, frozen(index.astype(np.int64)))
        value = np.asarray(self.value, dtype=np.float64)
        if not np.isfinite(value).all():
            raise BadValue(f"value[{int(np.argmin(np.isfinite(value)))}] is not finite; leave out what was not judged.")
        object.__setattr__(self, "value", frozen(value))

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def visit(self) -> Ints:
        """(n,) number of each annotator and item together; an unknown annotator is nobody else."""
        return number(self.annotator).crossed(number(self.item)).code

    @cached_property
    def first(self) -> Bools:
        """(n,) the first answer of its annotator to its item."""
        first = np.zeros(len(self), dtype=bool)
        first[np.unique(self.visit, return_index=True)[1]] = True
        return first

    def select(self, rows: ArrayLike | slice) -> ItemJudgments:
        """The judgments picked by a mask, by places or by a slice. Raises ShapeMismatch, UnknownIndex."""
        some = picked(rows, len(self))
        return ItemJudgments(
            item=self.item[some],
            annotator=self.annotator[some],
            value=self.value[some],
            annotators=self.annotators,
        )
