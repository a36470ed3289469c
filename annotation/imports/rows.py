"""What a batch of checked votes is in the log: rows of its tables, in the order in which they must be written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.enums import Design, ImpressionEnd, ItemState, JudgmentKind, TurnKind
from annotation.imports.normalise import MICROSECONDS
from annotation.imports.schema import OUTCOME_CODES
from annotation.models import Impression, ImpressionEvent, Item, Judgment, Response, Turn

QUESTION = "preference"
# The column holds small integers; what does not fit it stays in the answers.
LARGEST_COLUMN = 32_767


@dataclass(frozen=True)
class Strengths:
    """How a file's strengths are stored: `scale` is its largest; `in_column` says that all are small whole numbers."""

    asked: bool
    scale: float
    in_column: bool

    @classmethod
    def of(cls, *, count: int, largest: float, whole: bool) -> "Strengths":
        return cls(asked=count > 0, scale=max(largest, 1.0), in_column=whole and largest <= LARGEST_COLUMN)


@dataclass(frozen=True)
class Destination:
    """Where a file's votes go: `contestants` and `respondents` give the ids by code, nobody being the last."""

    campaign: int
    source: int
    instrument: int
    contestants: np.ndarray
    respondents: np.ndarray
    strengths: Strengths
    now: datetime


@dataclass(frozen=True)
class Ids:
    """Reserved ids: one item and one impression for each vote, two responses."""

    items: np.ndarray
    responses: np.ndarray
    impressions: np.ndarray


def log_rows(votes: pa.RecordBatch, to: Destination, ids: Ids) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The tables and their rows. Every vote is an item of its own: what was shown is not known to be the same twice."""
    count = len(votes)
    sides = np.column_stack([to.contestants[votes["a"].to_numpy()], to.contestants[votes["b"].to_numpy()]])
    respondents = pa.array(to.respondents[votes["judge"].to_numpy()])
    moments = pc.fill_null(votes["judged_at"], pa.scalar(to.now, MICROSECONDS))
    yield Item._meta.db_table, _items(votes, to, ids)
    yield Response._meta.db_table, _responses(sides, ids)
    yield Turn._meta.db_table, _turns(ids)
    yield Impression._meta.db_table, _impressions(to, ids, respondents, moments)
    yield (
        ImpressionEvent._meta.db_table,
        batch_of(count, impression_id=ids.impressions, kind=ImpressionEnd.ANSWERED.value),
    )
    yield Judgment._meta.db_table, _judgments(votes, to, ids, sides, respondents, moments)


def _items(votes: pa.RecordBatch, to: Destination, ids: Ids) -> pa.RecordBatch:
    return batch_of(
        len(votes),
        id=ids.items,
        campaign_id=to.campaign,
        source_id=to.source,
        prompt_key=pc.fill_null(votes["prompt"], ""),
        category=pc.fill_null(votes["category"], ""),
        flags=votes["flags"],
        language=pc.fill_null(votes["language"], ""),
        state=ItemState.FROZEN.value,
    )


def _responses(sides: np.ndarray, ids: Ids) -> pa.RecordBatch:
    return batch_of(
        len(ids.responses),
        id=ids.responses,
        item_id=np.repeat(ids.items, 2),
        position=np.tile(np.array([0, 1], dtype=np.int16), len(ids.items)),
        contestant_id=sides.ravel(),
        digest="",
    )


def _turns(ids: Ids) -> pa.RecordBatch:
    return batch_of(
        len(ids.responses), response_id=ids.responses, number=0, kind=TurnKind.ABSENT.value, file="", replacements=0
    )


def _impressions(to: Destination, ids: Ids, respondents: pa.Array, moments: pa.Array) -> pa.RecordBatch:
    """Nothing was drawn here, so no probability is given; the file's sides are the order shown."""
    designs = {f"{what}_design": Design.IMPORTED.value for what in ("pair", "side", "prompt", "questions")}
    return batch_of(
        len(ids.items),
        id=ids.impressions,
        campaign_id=to.campaign,
        item_id=ids.items,
        respondent_id=respondents,
        instrument_id=to.instrument,
        order="{0,1}",
        questions_asked=f"{{{QUESTION}}}",
        policy="",
        policy_version="",
        parameters="{}",
        candidate_digest="",
        shown_at=moments,
        **designs,
    )


def _judgments(
    votes: pa.RecordBatch, to: Destination, ids: Ids, sides: np.ndarray, respondents: pa.Array, moments: pa.Array
) -> pa.RecordBatch:
    outcomes = pa.array(OUTCOME_CODES).take(votes["outcome"].cast(pa.int64()))
    in_column = votes["strength"] if to.strengths.in_column else pa.nulls(len(votes), pa.float64())
    strength = in_column.cast(pa.int16())
    scale = pc.if_else(pc.is_valid(strength), pa.scalar(to.strengths.scale), pa.scalar(None, pa.float64()))
    return batch_of(
        len(votes),
        campaign_id=to.campaign,
        item_id=ids.items,
        respondent_id=respondents,
        source_id=to.source,
        impression_id=ids.impressions,
        instrument_id=to.instrument,
        kind=JudgmentKind.ANSWER.value,
        order="{0,1}",
        contestants=_joined("{", sides[:, 0], ",", sides[:, 1], "}"),
        answers=_answers(outcomes, votes["strength"], to.strengths),
        preference=outcomes,
        strength=strength,
        strength_scale=scale.cast(pa.int16()),
        currency="",
        amount_mode="",
        incentive="",
        submitted_at=moments,
        device_class="",
    )


def _answers(outcomes: pa.Array, strength: pa.Array, strengths: Strengths) -> pa.Array:
    """JSON as the preference question stores it; a scale beyond its own is the largest strength of the file."""
    scale = f"{strengths.scale:g}" if strengths.asked else "null"
    numbers = pc.fill_null(strength.cast(pa.string()), "null")
    return _joined(f'{{"{QUESTION}":{{"choice":"', outcomes, f'","scale":{scale},"strength":', numbers, "}}")


def _joined(*parts: Any) -> pa.Array:
    columns = [part if isinstance(part, str) else pa.array(part).cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*columns, "")


def batch_of(count: int, **columns: Any) -> pa.RecordBatch:
    """Columns by name; what is one value is the same in every row."""
    arrays = [
        pa.array(column) if isinstance(column, (np.ndarray, pa.Array)) else pa.repeat(pa.scalar(column), count)
        for column in columns.values()
    ]
    return pa.record_batch(arrays, names=list(columns))
