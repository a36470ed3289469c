"""`manage.py up`, run for real: one process tree that leaves nothing behind, however it ends."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.launch.folder import REPOSITORY, DataFolder
from config.launch.processes import free_port

# One data folder, one `up` at a time: in parallel runs these stay in one process.
pytestmark = pytest.mark.xdist_group("up")

SERVERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
SETTINGS = ("SECRET_KEY", "CARDINAL_ENCRYPTION_KEY", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS")
SHOW_DATABASE = "from django.db import connection as c; print(c.settings_dict['PORT'], c.settings_dict['USER'])"
# The guard is taken away from outside: the kernel is not asked to end the children with their parent.
WITHOUT_DEATH_SIGNAL = """
import sys
from config.launch import commands, processes
processes.die_with_parent = lambda parent, death_signal: None
sys.exit(commands.run(sys.argv[1:]))
"""


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {*SERVERS, *SETTINGS}}
    return {**kept, "CARDINAL_DATA_DIR": str(data), "CARDINAL_NO_VENV": "1", **more}


def manage(data: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )


@dataclass
class Up:
    process: "subprocess.Popen[str]"
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def printed(self) -> str:
        return self.log.read_text()

    def tree(self) -> dict[int, str]:
        """Every process below `up`, by its id, with its command line."""
        listing = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
        below = {self.process.pid}
        found: dict[int, str] = {}
        grown = True
        while grown:
            new = {int(pid): args for pid, ppid, args in rows if int(ppid) in below and int(pid) not in below}
            grown = bool(new)
            below |= new.keys()
            found |= new
        return found


def start_up(data: Path, guarded: bool = True) -> Up:
    port, log = free_port(), data.parent / f"up-{time.monotonic_ns()}.log"
    program = [str(REPOSITORY / "manage.py")] if guarded else ["-c", WITHOUT_DEATH_SIGNAL]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *program, "up", "--no-demo", "--port", str(port)],
            cwd=REPOSITORY,
            env=environment(data),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Up(process, port, log)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def wait_for_workers(up: Up) -> None:
    """The pages answer, and both workers have their own children: two pools and the scheduler."""
    wait_for(lambda: f"http://127.0.0.1:{up.port}/" in up.printed() or up.process.poll() is not None, 120, "pages")
    assert up.process.poll() is None, up.printed()
    wait_for(lambda: sum("celery_child" in args for args in up.tree().values()) == 6, 120, "workers")


def left_running(processes: list[int]) -> list[int]:
    return [pid for pid in processes if is_running(pid)]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One data folder for all starts of this module: the first makes the tables, the others find them."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def up(data):
    up = start_up(data)
    wait_for_workers(up)
    yield up
    up.process.terminate()
    up.process.wait(timeout=40)


@pytest.mark.slow
def test_up_serves_pages_and_says_where(data, up):
    assert up.get("/livez")[0] == 200
    assert json.loads(up.get("/readyz")[1])["failing"] == {}
    run = json.loads((data / "run.json").read_text())
    assert (run["pid"], run["address"]) == (up.process.pid, f"http://127.0.0.1:{up.port}/")


@pytest.mark.slow
def test_what_a_page_loads_is_there_under_the_name_that_the_page_gives_it(up):
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', up.get("/")[1]))
    assert {address: up.get(address)[0] for address in named} == dict.fromkeys(named, 200)
    assert any(re.search(r"\.[0-9a-f]{12}\.css$", address) for address in named)


@pytest.mark.slow
def test_secrets_are_private_and_the_pages_do_not_know_the_owners(data, up):
    for name in ("keys.json", "run.json"):
        assert (data / name).stat().st_mode & 0o777 == 0o600
    pages = next(pid for pid, args in up.tree().items() if "uvicorn" in args)
    known = Path(f"/proc/{pages}/environ").read_text() if sys.platform == "linux" else ""
    assert json.loads((data / "keys.json").read_text())["owner_password"] not in known


@pytest.mark.slow
def test_commands_use_the_running_database(data, up):
    done = manage(data, "shell", "--no-imports", "-c", SHOW_DATABASE)
    running = urlsplit(json.loads((data / "run.json").read_text())["environment"]["DATABASE_URL"])
    assert (done.returncode, done.stdout.split()) == (0, [str(running.port), "cardinal_app"])


@pytest.mark.slow
def test_second_up_on_the_same_folder_is_refused_in_one_line(data, up):
    done = manage(data, "up", "--port", str(free_port()))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Cardinal: Cardinal is running already at http://127.0.0.1:{up.port}/ (process {up.process.pid}) on {data}\n"
    )


@pytest.mark.slow
def test_crashed_child_and_crashed_server_come_back(data, up):
    pages = next(pid for pid, args in up.tree().items() if "uvicorn" in args)
    valkey = next(pid for pid, args in up.tree().items() if "valkey-server" in args)
    os.kill(pages, signal.SIGKILL)
    os.kill(valkey, signal.SIGKILL)
    wait_for(lambda: "pages started again" in up.printed(), 30, "the pages are started again")
    wait_for(lambda: answers(up), 60, "the pages answer again")
    assert "pages ended (signal SIGKILL), next attempt in 1 s" in up.printed()
    assert "Valkey ended (signal SIGKILL), starting it again" in up.printed()
    assert json.loads(up.get("/readyz")[1])["failing"] == {}


def answers(up: Up) -> bool:
    try:
        return up.get("/livez")[0] == 200
    except OSError:
        return False


@pytest.mark.slow
def test_asked_to_stop_up_stops_everything_within_half_a_minute(data, up):
    """The last test that uses the module's `up`."""
    tree = up.tree()
    begun = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(timeout=40) == 0
    assert time.monotonic() - begun < 30
    assert left_running(list(tree)) == []
    assert not (data / "run.json").exists()


@pytest.mark.slow
def test_killed_up_leaves_no_process(data):
    up = start_up(data)
    wait_for_workers(up)
    tree = list(up.tree())
    up.process.kill()
    up.process.wait()
    wait_for(lambda: not left_running(tree), 15, f"gone: {up.tree()}")
    print(f"faults injected: 1, processes before: {len(tree)}, processes left: 0")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a watchdog does what the death signal does")
def test_control_killed_up_leaves_its_processes_without_the_death_signal(data):
    up = start_up(data, guarded=False)
    wait_for_workers(up)
    tree = up.tree()
    up.process.kill()
    up.process.wait()
    time.sleep(5)
    left = left_running(list(tree))
    ends = {"postgres -D": signal.SIGINT, "valkey-server": signal.SIGTERM}
    for pid in left:
        try:
            os.kill(pid, next((end for name, end in ends.items() if name in tree[pid]), signal.SIGKILL))
        except ProcessLookupError:
            continue
    assert {name for name in ("postgres -D", "valkey-server", "uvicorn", "celery_child") if seen(name, left, tree)} == {
        "postgres -D",
        "valkey-server",
        "uvicorn",
        "celery_child",
    }
    wait_for(lambda: not left_running(list(tree)), 15, "tidied up by hand")


def seen(name: str, processes: list[int], tree: dict[int, str]) -> bool:
    return any(name in tree[pid] for pid in processes)


def test_busy_port_is_refused_in_one_line(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = manage(tmp_path, "up", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Cardinal: port {port} is in use: choose another with --port\n"


def test_data_of_another_postgres_is_refused_in_one_line(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    (tmp_path / "keys.json").write_text(
        json.dumps(dict.fromkeys(KEYS, "x"))  # as an earlier Cardinal left it
    )
    done = manage(tmp_path, "up", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cardinal: {tmp_path}/postgres was made by PostgreSQL 12, this Cardinal runs ")
    assert done.stderr.count("\n") == 1


KEYS = ("secret_key", "encryption_key", "owner_password", "application_password", "redis_password")


def test_lost_keys_beside_old_data_are_refused_in_one_line(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    done = manage(tmp_path, "up", "--port", str(free_port()))
    assert (done.returncode, done.stderr) == (
        1,
        f"Cardinal: {tmp_path}/keys.json is missing, without it the data in {tmp_path}/postgres cannot be read: "
        "put the file back, or move the folder away to start anew\n",
    )


def test_database_that_does_not_answer_is_refused_in_one_line_without_its_password(tmp_path):
    port = free_port()
    address = f"postgres://someone:open-sesame@127.0.0.1:{port}/cardinal"
    done = manage(tmp_path, "up", "--port", str(free_port()), DATABASE_URL=address)
    assert (done.returncode, done.stderr) == (
        1,
        "Cardinal: DATABASE_URL leads to no PostgreSQL: connection failed: "
        f'connection to server at "127.0.0.1", port {port} failed: Connection refused\n',
    )


def test_full_disk_is_refused_in_one_line(tmp_path, monkeypatch):
    from config.launch import folder
    from config.launch.errors import LaunchError

    monkeypatch.setattr(folder, "ROOM", 10**18)  # no disk has as much
    with pytest.raises(LaunchError, match=rf"^the disk is full: {tmp_path} has \d+ MB free, Cardinal needs \d+ MB$"):
        DataFolder(tmp_path).refuse_full_disk()


@pytest.mark.parametrize(
    ("port", "message"), [("0", "there is no port 0"), ("70000", "there is no port 70000")], ids=["zero", "too high"]
)
def test_impossible_port_is_refused(tmp_path, port, message):
    done = manage(tmp_path, "up", "--port", port)
    assert (done.returncode, done.stderr) == (1, f"Cardinal: {message}: choose one from 1 to 65535\n")


@pytest.mark.slow
def test_command_without_up_runs_on_servers_of_its_own_and_stops_them(data):
    done = manage(data, "shell", "--no-imports", "-c", SHOW_DATABASE)
    assert done.returncode == 0, done.stderr
    port, role = done.stdout.split()
    assert role == "cardinal_app"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port))) != 0
