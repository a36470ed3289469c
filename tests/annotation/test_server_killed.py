"""An acknowledged judgment survives the database server's death at any moment (promise a)."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from config.launch import postgres
from config.launch.folder import REPOSITORY
from config.launch.postgres import APPLICATION, OWNER, PostgresServer
from config.launch.scratch import migrate
from config.launch.services import prepare_services

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]

PREPARED = 150
ACKNOWLEDGED = 60  # by then the server dies
# Nothing of the log is written for whole seconds, however much of it there is.
UNWRITTEN = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
}
# Prepares first, so that what follows is nothing but votes; then says each judgment's id when its commit has returned.
VOTER = f"""
import os, django
django.setup()
from tests.annotation.test_submit_judgment import raw_answers, submit
from tests.factories import claim_and_show, make_campaign, make_item, make_respondent
campaign = make_campaign(slug="voter-%d" % os.getpid())
held = []
for _ in range({PREPARED}):
    make_item(campaign)
    respondent = make_respondent(campaign)
    held.append((claim_and_show(campaign, respondent)[0], respondent))
for assignment, respondent in held:
    print(submit(assignment, respondent, answers=raw_answers()).pk, flush=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A durable server of this module's own, with the tables in it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("DATABASE_URL")
        environment.delenv("DATABASE_OWNER_URL")
        found = prepare_services(tmp_path_factory.mktemp("killed"), programs_cache=REPOSITORY / ".cardinal").postgres
    assert found is not None
    found.start()
    migrate({"DATABASE_URL": found.url(OWNER), "DATABASE_OWNER_URL": found.url(OWNER)})
    yield found
    found.stop()


def vote_until_the_server_dies(server: PostgresServer) -> list[int]:
    """The judgments that were acknowledged; the one in flight when the server died was not."""
    voter = subprocess.Popen(
        [sys.executable, "-c", VOTER],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": server.url(APPLICATION)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with voter:
        assert voter.stdout is not None
        acknowledged = [int(voter.stdout.readline() or 0) for _ in range(ACKNOWLEDGED)]
        kill(server)
        rest, complaints = voter.communicate(timeout=60)
    assert "OperationalError" in complaints, "the server's death must meet a vote"
    return acknowledged + [int(line) for line in rest.split()]


def kill(server: PostgresServer) -> None:
    """All its processes at once, as when the machine fails: nobody gets to write anything more."""
    assert server.process is not None
    parent = server.process.pid
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children = [int(pid) for pid, ppid in map(str.split, listing.splitlines()) if int(ppid) == parent]
    for pid in (parent, *children):
        os.kill(pid, signal.SIGKILL)
    server.process.wait()


def lost(server: PostgresServer, acknowledged: list[int]) -> set[int]:
    server.start()
    with psycopg.connect(server.url(OWNER)) as database:
        kept = {pk for (pk,) in database.execute("SELECT id FROM annotation_judgment")}
    print(f"faults injected: 1, attempts: up to {PREPARED}, acknowledged: {len(acknowledged)}, rows: {len(kept)}")
    return set(acknowledged) - kept


def test_every_acknowledged_judgment_is_there_after_the_server_was_killed(server):
    acknowledged = vote_until_the_server_dies(server)
    assert ACKNOWLEDGED <= len(acknowledged) < PREPARED
    assert lost(server, acknowledged) == set()


def test_control_without_waiting_for_the_disk_acknowledged_judgments_are_lost(server, monkeypatch):
    monkeypatch.setattr(postgres, "FORGETFUL", UNWRITTEN)
    monkeypatch.setattr(server, "durable", False)
    server.stop()
    server.start()
    acknowledged = vote_until_the_server_dies(server)
    assert lost(server, acknowledged) != set()
