"""The log as a test wants it: everything judged has its number."""

import time

import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Judgment
from annotation.use_cases.sequence_log import sequence_log

WHO_IS_OPEN = """
SELECT pid, application_name, backend_type, state, backend_xid::text, xact_start, left(query, 200)
FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""


def number_log(seconds: float = 20) -> None:
    """Number every judgment. The sequencer waits for every older transaction, also for one that a test before this one
    is only just leaving; one that never ends is named.
    """
    deadline = time.monotonic() + seconds
    while True:
        sequence_log(now=timezone.now())
        if not Judgment.objects.filter(log_entry=None).exists():
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    with connection.cursor() as cursor:
        cursor.execute(WHO_IS_OPEN)
        pytest.fail(f"judgments without a number; transactions still open: {cursor.fetchall()}")
