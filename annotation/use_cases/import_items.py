from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import numpy as np
import pyarrow as pa
import structlog
from django.db import connection, transaction
from django.db.models import F

from annotation.enums import ContestantKind, ItemPurpose, SourceKind, UploadState
from annotation.errors import AnnotationError
from annotation.imports.item_campaign import item_reader
from annotation.imports.item_columns import ItemColumns
from annotation.imports.item_rows import ItemDestination, ItemIds, item_rows
from annotation.imports.item_spool import SpooledItems, spool_items
from annotation.imports.problems import BrokenFile, Problem
from annotation.imports.rows import batch_of
from annotation.imports.uploads import upload_path
from annotation.models import Campaign, Contestant, Item, ItemUpload, MediaFile, Prompt, Response, Slot, Source
from annotation.policies.drafts import CampaignIsClosed, refuse_if_closed
from annotation.queries.work import newest_set
from annotation.transitions import UPLOAD
from annotation.use_cases.copy_rows import copy_rows, count_anew_after, reserve_ids
from annotation.use_cases.create_prompt import canonical_digest
from annotation.use_cases.record_event import record_event
from annotation.use_cases.upload_lease import LEASE, MOST_ATTEMPTS, Heart, LeaseLost, end_upload, held_upload
from foundation.leases import lease_until, new_token
from foundation.transitions import check

TRAINING, QUALIFICATION = ItemPurpose.TRAINING.value, ItemPurpose.QUALIFICATION.value
log = structlog.get_logger(__name__)
LONGEST_SOURCE_NAME = 120
# Of the whole; the rest is writing.
CHECKING = 0.4
# What the rows were read by.
READ_OF_CAMPAIGN = ("overlap", "responses_per_item", "warned_content")
# By the index whatever the statistics say: this transaction's own rows are in none of them.
KNOWN_PROMPTS = """
    SELECT digest, min(id) FROM annotation_prompt
    WHERE digest = ANY(%s) AND id + 0 >= %s AND personal_text_id IS NULL GROUP BY digest
"""


class CampaignChanged(AnnotationError):
    """What items have in this campaign was changed while the file was read, media among it. Read it again."""


def import_items(*, upload_id: int, now: datetime) -> ItemUpload | None:
    """Read a queued upload into its campaign, if nobody else does: all of its items, or none.

    The whole file is checked first; what is wrong is kept with the upload, by line. Then everything is written in one
    transaction under the constraints of the log. None where there is nothing to do or the lease was lost.
    """
    token = new_token()
    if not _claim(upload_id, token):
        return None
    upload = ItemUpload.objects.select_related("campaign", "campaign__instrument").get(pk=upload_id)
    columns = ItemColumns.from_json(upload.mapping)
    path = upload_path(upload)
    try:
        refuse_if_closed(upload.campaign)
        with Heart(upload_id, token) as heart:
            reader = item_reader(upload.campaign, columns)
            with spool_items(path, columns, reader, lambda done: heart.beat(CHECKING * done)) as spooled:
                _write(upload, token, spooled, heart.beat, now)
    except LeaseLost:
        return None
    except BrokenFile as error:
        end_upload(upload_id, token, error.problems, now=now, final=True)
    except (CampaignIsClosed, CampaignChanged) as error:
        end_upload(upload_id, token, [Problem(0, str(error))], now=now, final=True)
    except Exception as error:
        end_upload(upload_id, token, [Problem(0, f"{type(error).__name__}: {error}"[:300])], now=now)
        raise
    else:
        path.unlink(missing_ok=True)
    upload.refresh_from_db()
    count_anew_after(upload.items or 0, [Item, Response, Slot, Prompt])
    return upload


def _claim(upload_id: int, token: UUID) -> bool:
    check(UPLOAD, UploadState.QUEUED, UploadState.WRITING)
    waiting = ItemUpload.objects.filter(pk=upload_id, state=UploadState.QUEUED, attempt__lt=MOST_ATTEMPTS)
    claimed = waiting.update(
        state=UploadState.WRITING,
        lease_token=token,
        lease_expires_at=lease_until(LEASE),
        attempt=F("attempt") + 1,
        progress=0,
    )
    return claimed == 1


def _write(
    upload: ItemUpload, token: UUID, spooled: SpooledItems, beat: Callable[[float], None], now: datetime
) -> None:
    """Nothing of the upload's row is touched before the end, so that the heart can beat beside this transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Checked with each COPY: put off to the end, every reference of the file would wait in memory.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL enable_seqscan = off")
        source = _source(upload, spooled, now)
        to = ItemDestination(
            campaign=upload.campaign_id,
            source=source.pk,
            contestants=_contestants(upload.campaign, list(spooled.models)),
            overlap=upload.campaign.overlap,
            responses=upload.campaign.responses_per_item,
            sets={purpose: newest_set(upload.campaign, purpose) for purpose in (TRAINING, QUALIFICATION)},
        )
        prompts = Prompts()
        written = 0
        for batch in spooled.batches():
            _write_batch(batch, to, prompts)
            written += len(batch)
            beat(CHECKING + (1 - CHECKING) * written / spooled.rows)
        _finish(upload, token, source, spooled, now)


def _write_batch(batch: pa.RecordBatch, to: ItemDestination, prompts: "Prompts") -> None:
    ids = ItemIds(
        items=reserve_ids(table=Item._meta.db_table, count=len(batch)),
        responses=reserve_ids(table=Response._meta.db_table, count=len(batch) * to.responses),
        prompts=prompts.ids(batch),
    )
    for table, rows in item_rows(batch, to, ids):
        copy_rows(table=table, rows=rows)


class Prompts:
    """Writes each different prompt of a file once. What was written is asked of the database, not remembered here."""

    def __init__(self) -> None:
        self._first = 0

    def ids(self, batch: pa.RecordBatch) -> np.ndarray:
        """The prompt of each row."""
        encoded = batch["prompt"].dictionary_encode()
        languages = batch["language"].to_pylist()
        texts = encoded.dictionary.to_pylist()
        places = encoded.indices.to_numpy()
        digests = [canonical_digest(text) for text in texts]
        known = self._known(digests)
        new = [place for place, digest in enumerate(digests) if digest not in known]
        if new:
            ids = reserve_ids(table=Prompt._meta.db_table, count=len(new))
            self._first = self._first or int(ids[0])
            first_rows = np.unique(places, return_index=True)[1]
            rows = batch_of(
                len(new),
                id=ids,
                messages=pa.array([texts[place] for place in new]),
                digest=pa.array([digests[place] for place in new]),
                language=pa.array([languages[first_rows[place]] for place in new]),
            )
            copy_rows(table=Prompt._meta.db_table, rows=rows)
            known |= {digests[place]: int(pk) for place, pk in zip(new, ids, strict=True)}
        return np.array([known[digest] for digest in digests], dtype=np.int64)[places]

    def _known(self, digests: list[str]) -> dict[str, int]:
        if not self._first:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(KNOWN_PROMPTS, [digests, self._first])
            return dict(cursor.fetchall())


def _source(upload: ItemUpload, spooled: SpooledItems, now: datetime) -> Source:
    details = {
        "file": upload.name,
        "sha256": upload.sha256,
        "imported_at": now.isoformat(),
        "items": spooled.rows,
        "mapping": upload.mapping,
        "columns_not_read": [column[:80] for column in spooled.ignored_columns[:100]],
    }
    name = upload.name[:LONGEST_SOURCE_NAME]
    return Source.objects.create(campaign=upload.campaign, kind=SourceKind.IMPORT, name=name, details=details)


def _contestants(campaign: Campaign, names: list[str]) -> np.ndarray:
    """Ids in the order of `names`. A name of an earlier file of this campaign is the same contestant."""
    imported = Contestant.objects.filter(campaign=campaign, kind=ContestantKind.IMPORTED)
    known = dict(imported.values_list("name", "pk"))
    new = [
        Contestant(kind=ContestantKind.IMPORTED, campaign=campaign, name=name) for name in names if name not in known
    ]
    known |= {made.name: made.pk for made in Contestant.objects.bulk_create(new, batch_size=2000)}
    return np.array([known[name] for name in names], dtype=np.int64)


def _finish(upload: ItemUpload, token: UUID, source: Source, spooled: SpooledItems, now: datetime) -> None:
    """The upload's row and the campaign's are locked last: nobody waits for them while the file is written."""
    row = held_upload(upload.pk, token).select_for_update(of=["self"]).first()
    if row is None:
        raise LeaseLost(f"upload {upload.pk} is somebody else's by now")
    campaign = Campaign.objects.select_for_update(no_key=True, of=["self"]).get(pk=upload.campaign_id)
    refuse_if_closed(campaign)
    if any(getattr(campaign, name) != getattr(upload.campaign, name) for name in READ_OF_CAMPAIGN):
        raise CampaignChanged("the campaign was changed while the file was read: read it again")
    if spooled.media and MediaFile.objects.filter(campaign=campaign, pk__in=spooled.media).count() < len(spooled.media):
        raise CampaignChanged("media that the file names were removed while it was read: read it again")
    check(UPLOAD, row.state, UploadState.DONE)
    row.state, row.finished_at, row.progress = UploadState.DONE, now, 1.0
    row.lease_token, row.lease_expires_at, row.problems = None, None, []
    row.source, row.items = source, spooled.rows
    row.save()
    data = {"items": spooled.rows, "source": source.pk, "sha256": upload.sha256}
    record_event(
        subject=row,
        verb="imported",
        actor=None,
        from_state=UploadState.WRITING,
        to_state=row.state,
        data=data,
    )
