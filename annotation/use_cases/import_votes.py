import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import connection, transaction

from annotation.enums import UNNAMED, CampaignState, ContestantKind, RespondentKind, SourceKind, SourceState
from annotation.errors import AnnotationError
from annotation.imports.rows import QUESTION, Destination, Ids, Strengths, log_rows
from annotation.imports.schema import CHUNK_ROWS
from annotation.imports.spool import Spooled, spool_votes
from annotation.models import (
    Board,
    Campaign,
    Contestant,
    Impression,
    Instrument,
    Item,
    Judgment,
    Respondent,
    Response,
    Source,
)
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_rows import copy_rows, count_anew_after, reserve_ids
from annotation.use_cases.create_board import create_board
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.enrol_respondent import campaign_key
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.record_event import record_event
from annotation.use_cases.retire_source import retire_source
from foundation.database import try_advisory_lock
from foundation.encryption import blind_digest
from foundation.text import clean_text

Report = Callable[[str, float], None]
LONGEST_NAME = 120


class BadBoardName(AnnotationError):
    """The board's slug or name is not usable in an address or does not fit."""


class BoardExists(AnnotationError):
    """There is a board of that slug. Replacing its votes has to be asked for."""


class AnotherImport(AnnotationError):
    """The same board is being imported to at this moment."""


class NotAnImportedBoard(AnnotationError):
    """The slug belongs to votes that were given here; imported ones never take their place."""


@dataclass(frozen=True)
class Imported:
    """What was written. `replaced` counts the sources that are retired now."""

    board: Board
    source: Source
    votes: int
    contestants: int
    # None where the file names no judge.
    judges: int | None
    outcomes: dict[str, int]
    # Of the votes, those that compare a contestant with itself: kept, and without a say in ratings.
    with_itself: int
    ignored_columns: tuple[str, ...]
    replaced: int


def import_votes(
    *,
    path: Path,
    board_slug: str,
    now: datetime,
    name: str = "",
    replace: bool = False,
    public: bool = True,
    report: Report | None = None,
) -> Imported:
    """Write a file's pairwise votes into the log as a source with a board of its own: all of them, or nothing.

    The whole file is checked first (BrokenFile names its lines). Then everything is written in one transaction under
    the constraints of the log. With `replace` the board's former source is retired and the board keeps its address;
    without it a slug that is taken raises BoardExists. A board that is not `public` shows to researchers and admins
    alone; one that was hidden is not shown again by an import. The votes count once `sequence_log` has numbered them.
    `report` is told a stage ("checking", "writing") and how much of it is done.
    """
    tell = report or (lambda stage, done: None)
    _check_names(board_slug, name)
    _refuse_taken(board_slug, replace)
    with spool_votes(path, lambda done: tell("checking", done)) as spooled, transaction.atomic():
        if not try_advisory_lock(f"annotation.import_votes:{board_slug}"):
            raise AnotherImport(f"another import to {board_slug} is running: wait for it to end")
        _refuse_taken(board_slug, replace)
        board, replaced = _board(board_slug, name or board_name(path), public, now)
        source = _source(board.campaign, name or path.name, spooled, now)
        _write(board.campaign, source, spooled, now, tell)
    count_anew_after(spooled.rows, [Item, Response, Impression, Judgment])
    return Imported(
        board=board,
        source=source,
        votes=spooled.rows,
        contestants=len(spooled.votes.contestants),
        judges=len(spooled.votes.judges) or None,
        outcomes=spooled.outcomes,
        with_itself=spooled.votes.with_itself,
        ignored_columns=spooled.columns.ignored,
        replaced=replaced,
    )


def _check_names(slug: str, name: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise BadBoardName(f"{slug!r:.90} is no slug: letters, digits, hyphens and underscores only") from error
    if len(slug) > 80:
        raise BadBoardName(f"a slug has at most 80 characters, this has {len(slug)}")
    if name and (not name.strip() or len(name) > LONGEST_NAME or clean_text(name) != name):
        raise BadBoardName(f"a name is printable text of 1 to {LONGEST_NAME} characters")


def _refuse_taken(slug: str, replace: bool) -> None:
    board = Board.objects.filter(slug=slug).select_related("campaign").first()
    campaign = board.campaign if board else Campaign.objects.filter(slug=slug).first()
    if campaign is not None and (board is None or not campaign.sources.filter(kind=SourceKind.IMPORT).exists()):
        raise NotAnImportedBoard(f"{slug} shows votes that were not imported: choose another slug")
    if board is not None and not replace:
        raise BoardExists(f"there is a board {slug}: give --replace to retire its votes for these, or another slug")


def board_name(path: Path) -> str:
    """A file's name as a title: `crowd_votes-2026-05-01.csv` becomes `crowd votes 2026-05-01`."""
    return re.sub(r"_+|(?<!\d)-+|-+(?!\d)|\s+", " ", path.stem).strip() or path.stem


def _board(slug: str, name: str, public: bool, now: datetime) -> tuple[Board, int]:
    """The board, its former sources retired, or a new one with a campaign of its own."""
    board = Board.objects.select_for_update().filter(slug=slug).first()
    if board is None:
        campaign = create_campaign(slug=slug, name=clean_text(name)[:LONGEST_NAME], now=now)
        return create_board(slug=slug, name=campaign.name, campaign=campaign, now=now, public=public), 0
    if not public:
        board = publish_board(board_id=board.pk, public=False, actor=None, now=now)
    former = board.campaign.sources.filter(kind=SourceKind.IMPORT, state=SourceState.ACTIVE).order_by("pk")
    ids = list(former.values_list("pk", flat=True))
    for source_id in ids:
        retire_source(source_id=source_id, actor=None, reason="replaced by a new import", now=now)
    return board, len(ids)


def _source(campaign: Campaign, name: str, spooled: Spooled, now: datetime) -> Source:
    votes = spooled.votes
    details: dict[str, Any] = {
        "file": clean_text(spooled.path.name)[:255],
        "sha256": spooled.sha256,
        # What votes without a date bear in its place.
        "imported_at": now.isoformat(),
        "votes": votes.rows,
        "outcomes": spooled.outcomes,
        # Null where nobody is named: then votes cannot be told apart by who gave them.
        "judges": len(votes.judges) or None,
        "votes_without_judge": votes.without_judge,
        "votes_of_one_contestant_with_itself": votes.with_itself,
        "votes_with_strength": votes.strengths,
        "largest_strength": votes.largest_strength,
        "columns_not_read": [column[:80] for column in spooled.columns.ignored[:100]],
    }
    source = Source.objects.create(
        campaign=campaign, kind=SourceKind.IMPORT, name=clean_text(name)[:LONGEST_NAME], details=details
    )
    record_event(subject=source, verb="imported", actor=None, to_state=source.state, data={"sha256": spooled.sha256})
    return source


def _write(campaign: Campaign, source: Source, spooled: Spooled, now: datetime, tell: Report) -> None:
    with connection.cursor() as cursor:
        # Checked with each COPY: put off to the end, every reference of the file would wait in memory.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    votes = spooled.votes
    strengths = Strengths.of(count=votes.strengths, largest=votes.largest_strength, whole=votes.whole_strengths)
    to = Destination(
        campaign=campaign.pk,
        source=source.pk,
        instrument=_instrument(campaign, strengths, now).pk,
        contestants=_contestants(campaign, list(votes.contestants)),
        respondents=_respondents(campaign, source, list(votes.judges), unnamed=votes.without_judge > 0),
        strengths=strengths,
        now=now,
    )
    written = 0
    for batch in spooled.batches():
        count = len(batch)
        ids = Ids(
            items=reserve_ids(table=Item._meta.db_table, count=count),
            responses=reserve_ids(table=Response._meta.db_table, count=2 * count),
            impressions=reserve_ids(table=Impression._meta.db_table, count=count),
        )
        for table, rows in log_rows(batch, to, ids):
            copy_rows(table=table, rows=rows)
        written += count
        tell("writing", written / spooled.rows)


def _instrument(campaign: Campaign, strengths: Strengths, now: datetime) -> Instrument:
    """One question, as far as it can be known from a file. Nobody can answer it: the campaign is closed."""
    settings = {"strength": "optional" if strengths.asked else "off"}
    question = {"name": QUESTION, "type": "preference", "settings": settings}
    instrument = publish_instrument(campaign_id=campaign.pk, questions=[question], now=now)
    if campaign.state == CampaignState.DRAFT:
        for state in (CampaignState.RUNNING, CampaignState.CLOSED):
            change_campaign_state(campaign_id=campaign.pk, to=state, actor=None, reason="imported votes", now=now)
    return instrument


def _contestants(campaign: Campaign, names: list[str]) -> np.ndarray:
    """Ids in the order of `names`. A name of an earlier import on this board is the same contestant."""
    imported = Contestant.objects.filter(campaign=campaign, kind=ContestantKind.IMPORTED)
    known = dict(imported.values_list("name", "pk"))
    new = [
        Contestant(kind=ContestantKind.IMPORTED, campaign=campaign, name=name) for name in names if name not in known
    ]
    for contestant in Contestant.objects.bulk_create(new, batch_size=2000):
        known[contestant.name] = contestant.pk
    return np.array([known[name] for name in names], dtype=np.int64)


def _respondents(campaign: Campaign, source: Source, judges: list[str], *, unnamed: bool) -> np.ndarray:
    """Ids in the order of `judges`, last the unnamed one. Their names stay in the file: here they have pseudonyms."""
    key = campaign_key(campaign)
    table = Respondent._meta.db_table
    ids = []
    for first in range(0, len(judges) + unnamed, CHUNK_ROWS):
        some = judges[first : first + CHUNK_ROWS]
        pseudonyms = [blind_digest(judge, purpose="imported-judge", key=key)[:16] for judge in some]
        if unnamed and len(some) < CHUNK_ROWS:
            pseudonyms.append(UNNAMED)
        count = len(pseudonyms)
        ids.append(reserve_ids(table=table, count=count))
        columns = {
            "id": ids[-1],
            "campaign_id": np.full(count, campaign.pk),
            "kind": [RespondentKind.IMPORTED.value] * count,
            "source_id": np.full(count, source.pk),
            "pseudonym": pseudonyms,
            "groups": ["{}"] * count,
        }
        copy_rows(table=table, rows=pa.record_batch(columns))
    return np.concatenate(ids)
