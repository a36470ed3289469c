"""Campaigns at size: how long it takes to import items, in how much memory, and what a claim costs in the end."""

import csv
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from annotation.enums import CampaignState
from annotation.imports.item_campaign import columns_by_meaning
from annotation.imports.item_columns import guess_meanings
from annotation.models import Campaign, ItemUpload, Respondent, Slot
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.import_items import import_items
from annotation.use_cases.map_upload import map_upload
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.receive_upload import receive_upload
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.request_import import request_import
from benchmarks.dashboards import dashboards
from benchmarks.rows import Row
from benchmarks.work import working
from foundation.idempotency import mint_key
from tests.factories import make_respondent

FULL, QUICK = 1_000_000, 100_000
PIECE = 1 << 20
GROUP, MEMBERS = "nurses", 200
NO_LIMITS: dict[str, Any] = {
    "budget_judgments": None,
    "budget_money": None,
    "share_per_annotator": None,
    "quota_per_annotator": None,
    "group_quotas": {},
}
LIMITS: dict[str, dict[str, Any]] = {
    "claim": NO_LIMITS,
    "claim under limits": {
        "budget_judgments": 10**8,
        "budget_money": Decimal(10**8),
        "share_per_annotator": 0.9,
        "quota_per_annotator": 10**8,
        "group_quotas": {GROUP: 10**8},
    },
}
# Answers to 95 % of what is open, by all of the group in turn.
MOSTLY_DONE = """
WITH done AS (
    UPDATE annotation_slot SET state = 'done' WHERE campaign_id = %(campaign)s AND state = 'open' AND random() < 0.95
    RETURNING id, item_id, number
)
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT id, item_id, (%(people)s::bigint[])[1 + (item_id + number) %% %(count)s], 'submitted', gen_random_uuid(), now()
FROM done ON CONFLICT DO NOTHING
"""
HEADER = ("prompt", "prompt_id", "response_1", "response_2", "model_1", "model_2", "category", "cat_hard")


def run(*, quick: bool) -> list[Row]:
    # Here nobody has collected the pages' static files, and no Redis runs.
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    own = {"summaries": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with override_settings(STORAGES=settings.STORAGES | plain, CACHES=settings.CACHES | own):
        return measured(quick=quick)


def measured(*, quick: bool) -> list[Row]:
    rows = imported(QUICK)
    rows += claims(Campaign.objects.get(slug=f"items-{QUICK}"), 200 if quick else 1000)
    rows += dashboards(QUICK)
    rows += working(quick=quick)
    return rows if quick else rows + imported(FULL) + dashboards(FULL)


def imported(count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = make_items(Path(folder) / "items.csv", count)
        upload = take(path, f"items-{count}")
        path.unlink()
    before = megabytes("VmRSS")
    forget_peak()
    started = time.perf_counter()
    done = import_items(upload_id=upload.pk, now=timezone.now())
    taken = time.perf_counter() - started
    if done is None or done.items != count:
        raise RuntimeError(f"{count} items were sent, {done and done.problems} came of it")
    return [
        Row("import of items", str(count), taken, "s", note=f"{count / taken:,.0f} items a second"),
        Row("extra memory of the import of items", str(count), megabytes("VmHWM") - before, "MB"),
    ]


def claims(campaign: Campaign, count: int) -> list[Row]:
    """What it takes to be given an item, drawn by the policy and written down, while nothing is done and while 95 % is:
    without limits, and under all those that count what people and groups have and what the campaign has. Nobody vacuums
    between, as in a busy campaign.
    """
    now = timezone.now()
    campaign = change_campaign_state(
        campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, reason="benchmark", now=now
    )
    people = [make_respondent(campaign) for _ in range(MEMBERS)]
    Respondent.objects.filter(campaign=campaign).update(groups=[GROUP])
    first = {name: claim_times(campaign, limits, people, count) for name, limits in LIMITS.items()}
    with connection.cursor() as cursor:
        values = {"campaign": campaign.pk, "people": [each.pk for each in people], "count": len(people)}
        cursor.execute(MOSTLY_DONE, values)
    claim_times(campaign, NO_LIMITS, people, 20)
    last = {name: claim_times(campaign, limits, people, count) for name, limits in LIMITS.items()}
    size = f"{QUICK} items"
    return [
        Row(f"{name}, {part}, 95 % done against 0 %", size, quantile(last[name], share), "ms", quantile(times, share))
        for name, times in first.items()
        for part, share in (("median", 0.5), ("p99", 0.99))
    ]


def quantile(seconds: list[float], share: float) -> float:
    return 1000 * float(np.quantile(seconds, share))


def claim_times(campaign: Campaign, limits: dict[str, Any], people: list[Respondent], count: int) -> list[float]:
    """Seconds of `count` claims by those people in turn, each of whom answers before they claim again."""
    Campaign.objects.filter(pk=campaign.pk).update(**limits)
    campaign = Campaign.objects.select_related("instrument").get(pk=campaign.pk)
    refresh_selection(campaign=campaign, now=timezone.now())
    times = []
    for number in range(count):
        started = time.perf_counter()
        given = next_assignment(campaign=campaign, respondent=people[number % len(people)], now=timezone.now())
        times.append(time.perf_counter() - started)
        given.assignment.state = "submitted"
        given.assignment.save(update_fields=["state"])
        Slot.objects.filter(pk=given.assignment.slot_id).update(state="done")
    return times


def make_items(path: Path, count: int) -> Path:
    """Rows as a set of comparisons has them, about 0.7 kB each; every prompt is asked twice."""
    rng = np.random.default_rng(7)
    words = np.array([f"word{number}" for number in range(5000)])
    texts = [" ".join(words[rng.integers(5000, size=30)]) for _ in range(2000)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(count):
            asked = number // 2
            row = [f"{asked}: {texts[asked % 2000][:150]}?", asked, *(texts[n] for n in rng.integers(2000, size=2))]
            writer.writerow([*row, f"model-{number % 40}", f"model-{(number + 7) % 40}", "made", number % 3 == 0])
    return path


def take(path: Path, name: str) -> ItemUpload:
    now = timezone.now()
    actor = User.objects.create_user(username=name, email=f"{name}@example.org", password=None)
    campaign = create_campaign(slug=name, name=name, now=now)
    publish_instrument(campaign_id=campaign.pk, questions=[{"name": "preference", "type": "preference"}], now=now)
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(PIECE), b"")
        upload = receive_upload(
            campaign_id=campaign.pk, name=path.name, content=pieces, key=mint_key(), actor=actor, now=now
        )
    columns = columns_by_meaning(guess_meanings(HEADER), "work")
    map_upload(upload_id=upload.pk, columns=columns, actor=actor, now=now)
    return request_import(upload_id=upload.pk, actor=actor, now=now)


def megabytes(name: str) -> float:
    """What this process holds (VmRSS), or has held at most (VmHWM), as Linux counts it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024


def forget_peak() -> None:
    """VmHWM is what is held now; what was needed to make the file is not the import's."""
    Path("/proc/self/clear_refs").write_text("5")
