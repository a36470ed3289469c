"""The embedded servers, started for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from config.launch.errors import LaunchError
from config.launch.postgres import APPLICATION, OWNER, Passwords, major_version
from config.launch.services import ServicePasswords, Services, prepare_services

CACHE = Path(__file__).resolve().parents[2] / ".cardinal"
SECRETS = ServicePasswords(Passwords("owner-secret", "application-secret"), "valkey-secret")


@pytest.fixture
def own_servers(monkeypatch):
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name)


def prepared(directory: Path, durable: bool = False) -> Services:
    return prepare_services(directory, programs_cache=CACHE, passwords=SECRETS, durable=durable)


@pytest.fixture
def services(own_servers, tmp_path):
    services = prepared(tmp_path)
    services.start()
    yield services
    services.stop()


def one_row(url: str, statement: str) -> tuple:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchone()


def test_session_servers_answer_at_the_exported_addresses():
    owner = os.environ["DATABASE_OWNER_URL"]
    assert one_row(owner, "SELECT current_user::text, current_setting('fsync')") == (OWNER, "off")
    assert redis.Redis.from_url(os.environ["REDIS_URL"]).ping() is True


def test_two_roles_are_made_and_only_the_owner_is_privileged(services):
    rows = "SELECT current_user::text, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert one_row(services.postgres.url(APPLICATION), rows) == (APPLICATION, False, False)
    assert one_row(services.postgres.url(OWNER), rows) == (OWNER, True, True)
    with psycopg.connect(services.postgres.url(OWNER)) as connection:
        connection.execute("SET ROLE cardinal_app")
        assert connection.execute("SELECT current_user::text").fetchone() == (APPLICATION,)


def test_servers_refuse_a_wrong_password(services):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(services.postgres.url(APPLICATION).replace("application-secret", "guess"))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(services.valkey.url().replace("valkey-secret", "guess")).ping()


def test_passwords_do_not_show_in_the_process_list(services):
    processes = subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True, check=True).stdout
    assert "valkey-server" in processes
    assert "-secret" not in processes


def test_data_stays_between_starts(own_servers, tmp_path):
    first = prepared(tmp_path, durable=True)
    first.start()
    with psycopg.connect(first.postgres.url(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    first.stop()
    second = prepared(tmp_path, durable=True)
    second.start()
    assert one_row(second.postgres.url(OWNER), "SELECT number FROM kept") == (7,)
    second.stop()


def test_servers_start_below_a_folder_that_others_may_not_enter(own_servers, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    services = prepared(closed / "data")
    services.start()
    assert one_row(services.postgres.url(OWNER), "SELECT 1") == (1,)
    services.stop()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_cluster_of_another_version_is_refused_in_one_line(own_servers, tmp_path):
    services = prepared(tmp_path)
    services.postgres.cluster.mkdir()
    (services.postgres.cluster / "PG_VERSION").write_text("12\n")
    ours = major_version(services.postgres.programs)
    with pytest.raises(LaunchError) as refusal:
        services.start()
    assert str(refusal.value).splitlines() == [
        f"{services.postgres.cluster} was made by PostgreSQL 12, this Cardinal runs PostgreSQL {ours}: "
        "restore a backup into a new CARDINAL_DATA_DIR (`manage.py restore FILE`), or move it away"
    ]


PARENT = """
import sys, time
from pathlib import Path
from config.launch import processes
from config.launch.services import prepare_services
if sys.argv[2] == "without":
    processes.die_with_parent = lambda parent, death_signal: None
if sys.argv[2] == "watchdog":
    processes._libc = None  # as on a kernel without death signals
services = prepare_services(Path(sys.argv[1]), programs_cache=Path(sys.argv[3]), durable=False)
services.start()
print(services.postgres.process.pid, services.valkey.process.pid, flush=True)
time.sleep(600)
"""


def left_after_kill(directory: Path, guard: str, seconds: float = 10) -> list[int]:
    """Start the servers in a process of their own, kill it, and tell which servers still run after `seconds`."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory), guard, str(CACHE)], stdout=subprocess.PIPE, text=True
    )
    with parent.stdout as printed:
        servers = [int(pid) for pid in printed.readline().split()]
    assert len(servers) == 2
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(is_running, servers)):
        time.sleep(0.05)
    return [pid for pid in servers if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_killed_parent_leaves_no_server(own_servers, tmp_path):
    assert left_after_kill(tmp_path, "with") == []


def test_watchdog_stops_the_servers_where_the_kernel_has_no_death_signal(own_servers, tmp_path):
    assert left_after_kill(tmp_path, "watchdog") == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_control_killed_parent_leaves_servers_without_the_death_signal(own_servers, tmp_path):
    left = left_after_kill(tmp_path, "without", seconds=3)
    for pid in left:
        os.kill(pid, signal.SIGQUIT if pid == left[0] else signal.SIGTERM)
    assert len(left) == 2
