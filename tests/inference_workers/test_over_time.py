"""How a model was over time: the figures are those of its completions, and the pictures those of the figures."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference_workers.enums import Priority
from inference_workers.models import Completion
from inference_workers.queries.over_time import SPANS, series_of
from inference_workers.use_cases.probe_models import probe_models
from inference_workers.web.charts import bar_chart, line_chart, round_above
from tests.factories import make_user
from tests.inference_workers.factories import make_completion, make_revision

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
HALF = Decimal("0.5")


def ended(revision, at, *, code="", first=0.1, total=1.0, tokens=20, cost=None):
    completion = make_completion(revision=revision, priority=Priority.BATCH)
    values = {"state": "failed", "error_code": code} if code else {"state": "succeeded", "text": "Yes."}
    values |= {"finish_reason": "stop", "first_token_seconds": first, "total_seconds": total}
    Completion.objects.filter(pk=completion.pk).update(
        finished_at=at, completion_tokens=tokens, cost=cost, estimated_cost=cost if code else None, **values
    )


def test_each_hour_has_the_percentiles_of_numpy_its_failures_its_pace_and_its_cost():
    revision, draws = make_revision(), random.Random(5)
    pairs = [(draws.uniform(0.05, 2), draws.uniform(1, 30)) for _ in range(23)]
    for first, total in pairs:
        ended(revision, NOW - timedelta(hours=2, minutes=draws.uniform(0, 15)), first=first, total=total)
    ended(revision, NOW - timedelta(hours=2), code="worker_lost", first=None, total=None, tokens=None, cost=HALF)
    ended(revision, NOW - timedelta(days=2), cost=Decimal(7))
    ended(make_revision(), NOW)
    steps = series_of(revision.language_model_id, SPANS["day"], NOW)
    assert (len(steps), steps[0].begin, steps[-1].begin.hour) == (24, datetime(2026, 3, 3, 16, tzinfo=UTC), 15)
    (busy,) = [step for step in steps if step.ended]
    assert (busy.begin.hour, busy.ended, busy.failed, busy.cost, busy.estimated) == (13, 24, 1, HALF, HALF)
    for found, side in [(busy.first_token, 0), (busy.total, 1)]:
        assert found == pytest.approx(tuple(np.percentile([pair[side] for pair in pairs], [50, 95])))
    assert busy.tokens_per_second == pytest.approx(23 * 20 / sum(total for _, total in pairs))
    days = series_of(revision.language_model_id, SPANS["month"], NOW)
    assert [(step.begin.day, step.cost) for step in days if step.ended] == [(2, Decimal(7)), (4, HALF)]


def test_marks_stand_where_their_values_are_and_a_gap_stays_one():
    chart = line_chart("t", "s", [("middle", "m", [1.0, 2.0, None, 4.0])])
    assert chart.top == 5.0
    line, dot = chart.lines[0].parts
    assert (line.x1, line.y1, line.x2, line.y2) == ("12.50%", "80.00%", "37.50%", "60.00%")
    assert (dot.x1, dot.y1, dot.is_dot) == ("87.50%", "20.00%", True)
    bars = bar_chart("t", "%", [None, 0.0, 25.0], top=100).bars
    assert [(bar.y, bar.height) for bar in bars] == [("75.00%", "25.00%")]
    assert line_chart("t", "s", [("middle", "m", [None])]).is_empty
    assert [round_above(value) for value in (0, 0.03, 1, 1.01, 70, 300)] == [1.0, 0.05, 1.0, 2.0, 100.0, 500.0]


def test_the_page_draws_it_and_has_every_figure_in_a_table():
    operator = Client()
    operator.force_login(make_user(role="operator"))
    revision = make_revision(model={"keeps_logprobs": True})
    now = timezone.now()
    for minutes in (0, 1):
        at = now - timedelta(hours=3, minutes=minutes)
        ended(revision, at, first=0.25, total=2.5, tokens=50, cost=Decimal("0.75"))
    probe_models(every=timedelta(minutes=1), now=now)
    page = reverse("model", args=[revision.language_model_id])
    for span in ("day", "month", "nonsense"):
        shown = operator.get(page, {"span": span}).content.decode()
        for words in ("Over time", "0.25 s", "2.50 s", "20.0", "0.7500", "Regular looks", "Queued", 'class="bar"'):
            assert words in shown or (words == "0.7500" and "1.5000" in shown), (span, words)
        assert "style=" not in shown.split('id="over-time"')[1].split("</section>")[0]
