"""The log is numbered while autovacuum holds a transaction of its own open."""

import os
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from annotation.models import Judgment
from annotation.use_cases import sequence_log as module
from annotation.use_cases.sequence_log import sequence_log
from tests.annotation.test_submit_judgment import raw_answers, submit
from tests.factories import claim_and_show, make_campaign, make_item, make_respondent

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Whoever computes the statistics of this index takes an id and then its time.
SLOWLY = """
CREATE TABLE vacuumed (n int NOT NULL) WITH (autovacuum_analyze_threshold = 0, autovacuum_analyze_scale_factor = 0);
CREATE FUNCTION slowly(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN n; END';
CREATE INDEX vacuumed_slowly ON vacuumed (slowly(n));
INSERT INTO vacuumed SELECT 1;
CREATE OR REPLACE FUNCTION slowly(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
'BEGIN PERFORM pg_current_xact_id(); PERFORM pg_sleep(60); RETURN n; END';
SELECT pg_stat_force_next_flush();
"""
AT_WORK = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'autovacuum worker' AND backend_xid IS NOT NULL
AND query LIKE '%vacuumed%'
"""


@pytest.fixture
def autovacuum(django_db_setup: None) -> Iterator[None]:
    """At work in the tests' database, with an id, until the test is over."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], dbname=name, autocommit=True) as owner:
        owner.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        owner.execute("SELECT pg_reload_conf()")
        try:
            owner.execute(SLOWLY)
            until = time.monotonic() + 60
            while not (found := owner.execute(AT_WORK).fetchall()):
                assert time.monotonic() < until, "autovacuum did not come"
                time.sleep(0.1)
            yield
            assert owner.execute(AT_WORK).fetchall() == found
        finally:
            owner.execute("ALTER SYSTEM RESET autovacuum_naptime")
            owner.execute("SELECT pg_reload_conf()")
            owner.execute(f"SELECT pg_terminate_backend(pid) FROM ({AT_WORK}) w")
            owner.execute("DROP TABLE IF EXISTS vacuumed; DROP FUNCTION IF EXISTS slowly")


def numbered_of_one_judgment() -> tuple[int, int]:
    campaign = make_campaign()
    make_item(campaign)
    respondent = make_respondent(campaign)
    assignment, _shown = claim_and_show(campaign, respondent)
    submit(assignment, respondent, answers=raw_answers())
    return sequence_log(now=timezone.now()), Judgment.objects.filter(log_entry=None).count()


def test_numbers_do_not_wait_for_autovacuum(autovacuum):
    assert numbered_of_one_judgment() == (1, 0)


def test_control_whoever_waits_for_it_numbers_nothing(autovacuum, monkeypatch):
    monkeypatch.setattr(module, "HORIZON", module.HORIZON.replace(module.BY_A_ROLE, ""))
    assert numbered_of_one_judgment() == (0, 1)
