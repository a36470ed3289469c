"""How a campaign goes and how good its judgments are, computed over its whole log."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection
from django.db.models import F, QuerySet

from annotation.boards.agreement import ItemSlices, agreement_on, disagreements, overall_agreement, slices_of
from annotation.boards.annotators import Checked, figures_of, read_given
from annotation.boards.copied import copy_table
from annotation.boards.measures import Ints, read_measures
from annotation.enums import COUNTED, CampaignState, ItemPurpose, JudgmentKind, SourceState
from annotation.models import Campaign, Item, Judgment, Respondent
from annotation.policies.checks import is_right
from annotation.policies.forecast import forecast_end
from annotation.queries.costs import money_of
from annotation.queries.earnings import FIRST_ANSWER
from annotation.queries.log import instrument_questions, last_sequence, retired_sources, settles
from annotation.queries.summaries import Hour, Progress, Summary

# A log of up to so many judgments is summarised while the page waits.
AT_ONCE = 2_000
HOURS = 48
MOST_ITEMS = 1_000
CHECKS = (ItemPurpose.GOLD, ItemPurpose.ATTENTION)
MOST_FAILED = 1_000

# What is one person's alone, a check or a repeat, is nobody's target.
SLOTS = """
SELECT count(*) FILTER (WHERE state = 'open' AND NOT for_one),
    count(*) FILTER (WHERE state = 'claimed' AND NOT for_one),
    count(*) FILTER (WHERE state = 'done' AND NOT for_one),
    count(*) FILTER (WHERE state IN ('claimed', 'done'))
FROM annotation_slot WHERE campaign_id = %(campaign)s
"""
# Each person's answer to each item, at its first moment, as long as anything they said of it stands: what was corrected
# was given when it was first given, what was taken out was not. An adjudication is no annotator's.
GIVEN = f"""
FROM annotation_judgment j JOIN annotation_item i ON i.id = j.item_id
JOIN annotation_source o ON o.id = j.source_id AND o.state = 'active'
WHERE j.campaign_id = %(campaign)s AND {FIRST_ANSWER}
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n
        WHERE n.respondent_id = j.respondent_id AND n.item_id = j.item_id AND n.kind = 'retraction'
            AND NOT EXISTS (SELECT 1 FROM annotation_judgment m WHERE m.supersedes_id = n.id))
    AND NOT EXISTS (SELECT 1 FROM annotation_adjudication d WHERE d.judgment_id = j.id)
"""  # noqa: S608 (constants)
ANSWERED = f"""
SELECT count(*), count(*) FILTER (WHERE i.purpose = 'work' AND i.repeat_of_id IS NULL),
    count(DISTINCT j.respondent_id), min(j.submitted_at),
    count(*) FILTER (WHERE j.submitted_at > %(now)s - interval '24 hours')
{GIVEN}
"""
BY_HOUR = f"""
SELECT date_trunc('hour', j.submitted_at AT TIME ZONE 'UTC'), count(*),
    count(*) FILTER (WHERE i.purpose = 'work' AND i.repeat_of_id IS NULL)
{GIVEN} AND j.submitted_at > %(since)s AND j.submitted_at <= %(now)s
GROUP BY 1
"""
# As the batches count it.
ACCEPTED = """
SELECT count(*) FROM annotation_review r WHERE r.campaign_id = %(campaign)s AND r.state = 'approved'
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = r.judgment_id)
"""


def is_short(campaign: Campaign) -> bool:
    """Whether the log is summarised in no time."""
    judgments = Judgment.objects.filter(campaign=campaign).order_by()
    return len(judgments.values_list("pk", flat=True)[: AT_ONCE + 1]) <= AT_ONCE


def summarised(campaign: Campaign, now: datetime) -> Summary:
    sequence, retired = last_sequence(campaign), retired_sources(campaign)
    questions = instrument_questions(campaign.instrument_id) if campaign.instrument_id else ()
    judgments = standing_answers(campaign).filter(log_entry__sequence__lte=sequence)
    work = judgments.filter(~settles(), item__purpose__in=COUNTED)
    measures = read_measures(work, questions, instrument=campaign.instrument_id or 0)
    given = read_given(judgments.filter(item__purpose__in=[*COUNTED, *CHECKS]))
    checks = checked(judgments)
    agreements = [agreement_on(measure) for measure in measures]
    return Summary(
        made_at=now,
        sequence=sequence,
        retired=retired,
        progress=progress_of(campaign, now),
        overall=overall_agreement(measures, agreements),
        questions=agreements,
        slices=[each for measure in measures for each in slices_of(measure, item_slices(campaign), groups(campaign))],
        annotators=figures_of(given, checks.outcomes, measures, everyone=np.unique(given.respondent).tolist()),
        items=disagreements(measures, MOST_ITEMS),
        failed_checks=checks.failed,
    )


def standing_answers(campaign: Campaign) -> QuerySet[Judgment]:
    """As `standing_judgments`, with what people say of checks and what they say a second time."""
    return Judgment.objects.filter(
        campaign=campaign,
        kind=JudgmentKind.ANSWER,
        log_entry__isnull=False,
        source__state=SourceState.ACTIVE,
        superseded_by__isnull=True,
    ).order_by("log_entry__sequence")


def progress_of(campaign: Campaign, now: datetime) -> Progress:
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    since = hour - timedelta(hours=HOURS - 1)
    values: dict[str, Any] = {"campaign": campaign.pk, "now": now, "since": since}
    with connection.cursor() as cursor:
        cursor.execute(SLOTS, values)
        slots = dict(zip(("open", "claimed", "done", "taken"), cursor.fetchone() or (0,) * 4, strict=True))
        cursor.execute(ANSWERED, values)
        answers, work, people, first_at, last_day = cursor.fetchone() or (0, 0, 0, None, 0)
        cursor.execute(BY_HOUR, values)
        by_hour = {at.replace(tzinfo=UTC): (count, own) for at, count, own in cursor.fetchall()}
        cursor.execute(ACCEPTED, values)
        (accepted,) = cursor.fetchone() or (0,)
    begins = [since + timedelta(hours=number) for number in range(HOURS)]
    progress = Progress(
        **slots,
        answers=answers,
        work=work,
        people=people,
        last_day=last_day,
        first_at=first_at,
        accepted=accepted,
        money=money_of(campaign),
        hours=[Hour(begin, *by_hour.get(begin, (0, 0))) for begin in begins],
    )
    if campaign.state == CampaignState.CLOSED:
        return progress
    counts = [hour.work for hour in progress.hours]
    forecast = forecast_end(counts, left=progress.open + progress.claimed, first_at=first_at, now=now)
    return replace(progress, forecast=forecast)


def item_slices(campaign: Campaign) -> dict[str, ItemSlices]:
    items = Item.objects.filter(campaign=campaign, purpose__in=COUNTED, repeat_of__isnull=True).order_by("pk")
    return {kind: _slices(items, kind) for kind in ("category", "language")}


def _slices(items: QuerySet[Item], kind: str) -> ItemSlices:
    table = copy_table(items.values_list("pk", kind), pa.schema((("item", pa.int64()), ("name", pa.string()))))
    names = table["name"].combine_chunks().dictionary_encode()
    return ItemSlices(table["item"].to_numpy(), names.indices.to_numpy(), names.dictionary.to_pylist())


def groups(campaign: Campaign) -> dict[str, Ints]:
    """The ids of the members of each group of respondents."""
    members: dict[str, list[int]] = {}
    people = Respondent.objects.filter(campaign=campaign).exclude(groups=[])
    for pk, names in people.order_by("pk").values_list("pk", "groups"):
        for name in names:
            members.setdefault(name, []).append(pk)
    return {name: np.array(ids, dtype=np.int64) for name, ids in members.items()}


@dataclass(frozen=True, eq=False)
class Checks:
    """Which answers to checks are right, and the newest judgments that are not."""

    outcomes: Checked
    failed: list[int]


def checked(judgments: QuerySet[Judgment]) -> Checks:
    rows = judgments.filter(item__purpose__in=CHECKS).annotate(expected=F("item__expected"))
    fields = ("pk", "respondent_id", "item_id", "expected", "instrument_id", "answers", "order")
    found, failed = [], []
    for pk, respondent, item, expected, instrument, answers, order in rows.values_list(*fields).iterator():
        right = is_right(expected or [], asked=instrument_questions(instrument), answers=answers, order=order)
        found.append((respondent, item, right))
        failed += [] if right else [pk]
    columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return Checks(Checked(columns[0], columns[1], columns[2].astype(bool)), sorted(failed)[-MOST_FAILED:])
