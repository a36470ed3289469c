"""The pages on which a campaign is watched and reviewed, with a long log behind them."""

import time

from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.texts import write_personal_text
from annotation.models import Batch, Campaign, Judgment, JudgmentText
from annotation.queries.said import LOOKED_THROUGH
from annotation.use_cases.create_board import create_board
from annotation.use_cases.make_batch import MOST_IN_BATCH
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.summarise_quality import summarise_quality
from benchmarks.rows import Row
from foundation.database import count_anew
from tests.annotation.watching.planted import (
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.factories import make_user

WATCHED = (
    "campaign-watch",
    "campaign-watch-agreement",
    "campaign-watch-annotators",
    "campaign-watch-items",
    "campaign-watch-rationales",
    # In none of them, so that all that one look may open is opened.
    "campaign-watch-rationales?q=nowhere",
    "campaign",
    "campaign-people",
    "campaign-pay",
    "batches",
    "campaign-results",
)
PAGES = (*WATCHED, "review-queue", "review-queue?order=disagreement", "review-queue?order=annotator")
PEOPLE, OF_ITEM, TIMES = 200, 5, 9
PLANTED = ("judgment", "item", "slot", "logentry", "ledgerentry", "review", "judgmenttext")
WORDS = "The second answer says where the rule comes from, and the first one only that there is one. " * 3
# Copies of one judgment, five on each item, by people who are drawn; what they say and when differs.
CHANGED = {
    "item_id": "%(item)s + (g - 1) / 5",
    "respondent_id": "(%(people)s::bigint[])[1 + ((g - 1) * 7) %% 200]",
    "submitted_at": "now() - random() * interval '20 days'",
    "active_ms": "(3000 + random() * 40000)::integer",
    "preference": "(array['a', 'b', 'tie'])[1 + floor(random() * 3)::integer]",
}
ITEMS = """
INSERT INTO annotation_item (campaign_id, source_id, prompt_key, category, flags, language, state)
SELECT %(campaign)s, %(source)s, '', 'category ' || g %% 20, '{}', '', 'frozen' FROM generate_series(1, %(count)s) g
RETURNING id
"""
# A slot of work for each judgment, done by it, and a fee; the newest of them are in a batch that waits.
SLOTS = """
INSERT INTO annotation_slot (item_id, campaign_id, number, state)
SELECT item_id, campaign_id, row_number() OVER (PARTITION BY item_id), 'done'
FROM annotation_judgment WHERE campaign_id = %(campaign)s
"""
FEES = """
INSERT INTO annotation_ledgerentry (campaign_id, respondent_id, kind, amount, currency, reason, judgment_id)
SELECT campaign_id, respondent_id, 'fee', 0.25, 'USD', '', id FROM annotation_judgment WHERE campaign_id = %(campaign)s
"""
REVIEWS = """
INSERT INTO annotation_review (campaign_id, judgment_id, batch_id, state)
SELECT campaign_id, id, %(batch)s, 'pending' FROM annotation_judgment WHERE campaign_id = %(campaign)s
ORDER BY id DESC LIMIT %(most)s
"""
NUMBERED = """
INSERT INTO annotation_logentry (sequence, judgment_id, digest)
SELECT (SELECT max(sequence) FROM annotation_logentry) + row_number() OVER (ORDER BY id), id, ''
FROM annotation_judgment j WHERE NOT EXISTS (SELECT FROM annotation_logentry l WHERE l.judgment_id = j.id)
"""


def dashboards(count: int) -> list[Row]:
    """The slowest of the pages by their medians; figures come from a summary, whose making is a row of its own."""
    campaign = long_log(count)
    started = time.perf_counter()
    summarise_quality(campaign_id=campaign.pk, now=timezone.now())
    summary = time.perf_counter() - started
    client = Client(SERVER_NAME="localhost")
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    medians = {page: median_of(client, address_of(page, campaign)) for page in PAGES}
    slowest = max(medians, key=lambda page: medians[page])
    return [
        Row("dashboards, slowest page", str(count), 1000 * medians[slowest], "ms", note=slowest),
        Row("summary behind the dashboards", str(count), summary, "s"),
    ]


def address_of(page: str, campaign: Campaign) -> str:
    name, _, query = page.partition("?")
    return reverse(name, args=[campaign.slug]) + (f"?{query}" if query else "")


def median_of(client: Client, address: str) -> float:
    taken = []
    for _time in range(TIMES):
        started = time.perf_counter()
        answer = client.get(address, follow=True)
        taken.append(time.perf_counter() - started)
        if answer.status_code != 200 or b"being computed" in answer.content:
            raise RuntimeError(f"{address} was answered {answer.status_code} and shows no figures")
    return sorted(taken)[TIMES // 2]


def long_log(count: int) -> Campaign:
    campaign, now = planted_campaign(slug=f"watched-{count}"), timezone.now()
    people = plant_people(campaign, [Planted()] * PEOPLE)
    first, *_rest = plant_judgments(campaign, dict([next(iter(people.items()))]), plant_items(campaign, 1))
    columns = [field.column for field in Judgment._meta.concrete_fields if field.column not in ("id", "transaction")]
    named = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(CHANGED.get(column, f'j."{column}"') for column in columns)
    copied = f"INSERT INTO annotation_judgment ({named}) SELECT {values} FROM annotation_judgment j, "
    with connection.cursor() as cursor:
        source = {"campaign": campaign.pk, "source": first.source_id, "count": count // OF_ITEM}
        cursor.execute(ITEMS, source)
        item = min(pk for (pk,) in cursor.fetchall())
        ids = [respondent.pk for respondent in people]
        cursor.execute(
            copied + "generate_series(1, %(count)s) g WHERE j.id = %(id)s",
            {"item": item, "people": ids, "count": count, "id": first.pk},
        )
        cursor.execute(NUMBERED)
    with connection.cursor() as cursor:
        cursor.execute(SLOTS, {"campaign": campaign.pk})
        cursor.execute(FEES, {"campaign": campaign.pk})
        batch = Batch.objects.create(campaign=campaign, number=1)
        cursor.execute(REVIEWS, {"campaign": campaign.pk, "batch": batch.pk, "most": min(count // 5, MOST_IN_BATCH)})
    say(campaign)
    count_anew(apps.get_model("annotation", name) for name in PLANTED)
    refresh_board(board_id=create_board(slug=campaign.slug, name="Watched", campaign=campaign, now=now).pk, now=now)
    return campaign


def say(campaign: Campaign) -> None:
    """Words with the newest judgments, more than one look opens."""
    newest = Judgment.objects.filter(campaign=campaign).select_related("respondent__person").order_by("-pk")
    for judgment in newest[: 2 * LOOKED_THROUGH]:
        text = write_personal_text(person=judgment.respondent.person, text=WORDS)
        JudgmentText.objects.create(judgment=judgment, question="why", personal_text=text)
