"""Importing votes: against the same rows written through the ORM, and how long and how large a real-sized import is."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.utils import timezone

from annotation.enums import CampaignState, ContestantKind, Design, ImpressionEnd, ItemState, SourceKind, TurnKind
from annotation.models import (
    Campaign,
    Contestant,
    Impression,
    ImpressionEvent,
    Item,
    Judgment,
    Respondent,
    Response,
    Source,
    Turn,
)
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.import_votes import import_votes
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.sequence_log import sequence_log
from benchmarks.rows import Row

# As many votes, models and flags as the largest public set of battles.
REAL_SIZE, MODELS, FLAGS = 135_634, 53, 10
QUICK_SIZE = 10_000
OUTCOMES = ("a", "b", "tie", "both_bad")
BATCH = 5_000


def run(*, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        small = make_votes(Path(folder) / "small.parquet", QUICK_SIZE)
        peer = QUICK_SIZE / seconds(lambda: write_through_orm(small, slug="through-orm"))
        ours = QUICK_SIZE / seconds(lambda: import_votes(path=small, board_slug="imported", now=timezone.now()))
        rows = [Row("votes written per second", str(QUICK_SIZE), ours, "votes/s", peer)]
        if not quick:
            large = make_votes(Path(folder) / "large.parquet", REAL_SIZE)
            taken = seconds(lambda: import_whole(large, slug="large"))
            rows.append(Row("import of votes", str(REAL_SIZE), taken, "s"))
            rows.append(Row("memory of the import", str(REAL_SIZE), peak_megabytes(), "MB"))
    return rows


def import_whole(path: Path, *, slug: str) -> None:
    """As the command does: checked, written, numbered, and on its board."""
    imported = import_votes(path=path, board_slug=slug, now=timezone.now())
    sequence_log(now=timezone.now())
    refresh_board(board_id=imported.board.pk, now=timezone.now())


def make_votes(path: Path, count: int, *, models: int = MODELS, flags: int = FLAGS) -> Path:
    rng = np.random.default_rng(7)
    names = np.array([f"model-{number:02}" for number in range(models)])
    first = rng.integers(models, size=count)
    second = (first + rng.integers(1, models, size=count)) % models
    outcome = rng.choice(OUTCOMES, size=count, p=(0.36, 0.37, 0.16, 0.11))
    columns = {"a": names[first], "b": names[second], "outcome": outcome}
    columns |= {f"cat_flag_{number}": rng.random(count) < 0.3 for number in range(flags)}
    pq.write_table(pa.table(columns), path)
    return path


def write_through_orm(path: Path, *, slug: str) -> None:
    """The peer: the same rows, checked by nobody, one bulk_create for each table."""
    votes = pq.read_table(path).to_pylist()
    now = timezone.now()
    with transaction.atomic():
        campaign = create_campaign(slug=slug, name=slug, now=now)
        publish_instrument(campaign_id=campaign.pk, questions=[{"name": "preference", "type": "preference"}], now=now)
        for state in (CampaignState.RUNNING, CampaignState.CLOSED):
            change_campaign_state(campaign_id=campaign.pk, to=state, actor=None, reason="measured", now=now)
        campaign = Campaign.objects.get(pk=campaign.pk)
        source = Source.objects.create(campaign=campaign, kind=SourceKind.IMPORT, name=slug)
        respondent = Respondent.objects.create(campaign=campaign, kind="imported", source=source, pseudonym="unnamed")
        names = sorted({vote[side] for vote in votes for side in "ab"})
        made = Contestant.objects.bulk_create(
            Contestant(kind=ContestantKind.IMPORTED, campaign=campaign, name=name) for name in names
        )
        ids = {contestant.name: contestant.pk for contestant in made}
        for first in range(0, len(votes), BATCH):
            write_batch(votes[first : first + BATCH], campaign, source, respondent, ids)


def write_batch(
    votes: list[dict[str, object]], campaign: Campaign, source: Source, respondent: Respondent, ids: dict[str, int]
) -> None:
    items = Item.objects.bulk_create(
        Item(
            campaign=campaign,
            source=source,
            state=ItemState.FROZEN,
            flags=[name for name, value in vote.items() if value is True],
        )
        for vote in votes
    )
    responses = Response.objects.bulk_create(
        Response(item=item, position=position, contestant_id=ids[str(vote[side])])
        for item, vote in zip(items, votes, strict=True)
        for position, side in enumerate("ab")
    )
    Turn.objects.bulk_create(Turn(response=response, kind=TurnKind.ABSENT) for response in responses)
    designs = {f"{what}_design": Design.IMPORTED for what in ("pair", "side", "prompt", "questions")}
    impressions = Impression.objects.bulk_create(
        Impression(
            campaign=campaign,
            item=item,
            respondent=respondent,
            instrument=campaign.instrument,
            order=[0, 1],
            questions_asked=["preference"],
            **designs,
        )
        for item in items
    )
    ImpressionEvent.objects.bulk_create(
        ImpressionEvent(impression=impression, kind=ImpressionEnd.ANSWERED) for impression in impressions
    )
    Judgment.objects.bulk_create(
        Judgment(
            campaign=campaign,
            item=item,
            respondent=respondent,
            source=source,
            impression=impression,
            instrument=campaign.instrument,
            order=[0, 1],
            contestants=[ids[str(vote["a"])], ids[str(vote["b"])]],
            answers={"preference": {"choice": vote["outcome"], "strength": None, "scale": None}},
            preference=vote["outcome"],
            submitted_at=timezone.now(),
        )
        for item, impression, vote in zip(items, impressions, votes, strict=True)
    )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_megabytes() -> float:
    """The most this process has held, all of it, as Linux counts it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
