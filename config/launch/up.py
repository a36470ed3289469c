"""`manage.py up`: from nothing to a running arena, and everything gone when it ends."""

import argparse
import errno
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.launch.errors import LaunchError
from config.launch.folder import REPOSITORY, DataFolder, data_folder, write_private
from config.launch.keys import load_keys
from config.launch.options import read_up_options
from config.launch.processes import Command, failure, start
from config.launch.progress import Progress
from config.launch.readiness import ModelWatch
from config.launch.services import prepare_services
from config.launch.supervisor import Child, Supervisor, is_running

CODE = ("config", "arena", "annotation", "ranking", "inference_workers", "accounts", "foundation")


def up(arguments: Sequence[str]) -> int:
    options = read_up_options(arguments)
    folder = data_folder()
    folder.make()
    descriptor = folder.lock()
    if descriptor is None:
        raise LaunchError(already_running(folder))
    folder.run_file.unlink(missing_ok=True)
    folder.refuse_full_disk()
    refuse_busy_port(options.host, options.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: the terminal may go, we stay
        signal.signal(signal.SIGHUP, end)
    progress = Progress()
    try:
        Start(folder, options, progress).run()
    except KeyboardInterrupt:
        return 0
    finally:
        folder.run_file.unlink(missing_ok=True)
    return 0


def end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def already_running(folder: DataFolder) -> str:
    run = folder.read_run() or {}
    where = f" at {run['address']}" if "address" in run else ""
    return f"Cardinal is running already{where} (process {run.get('pid', 'unknown')}) on {folder.path}"


def refuse_busy_port(host: str, port: int) -> None:
    if not 0 < port < 65536:
        raise LaunchError(f"there is no port {port}: choose one from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LaunchError(f"port {port} is in use: choose another with --port") from None
        raise LaunchError(f"cannot listen on {host} port {port}: {error.strerror}") from None


class Start:
    """One run of `up`, step by step."""

    def __init__(self, folder: DataFolder, options: argparse.Namespace, progress: Progress) -> None:
        self.folder = folder
        self.options = options
        self.progress = progress
        self.address = f"http://{host_for_browser(options.host)}:{options.port}/"
        self.keys = load_keys(folder)
        self.is_new = not (folder.cluster / "PG_VERSION").exists()
        self.services = prepare_services(
            folder.path, programs_cache=folder.path, passwords=self.keys.service_passwords()
        )
        self.supervisor = Supervisor(self.services, folder.logs, {}, progress)
        self.logins = ""

    def run(self) -> None:
        try:
            self.begin()
            models = ModelWatch(self.services.environment()["REDIS_URL"], self.progress)
            while True:
                self.supervisor.watch()
                self.show_status(models.look())
                time.sleep(0.5)
        finally:
            try:
                self.progress.show_status("")
                if self.supervisor.children:
                    self.progress.line("Stopping…")
            finally:  # also when nobody reads what we print any more
                self.supervisor.stop()

    def begin(self) -> None:
        self.progress.line(self.progress.bold("Cardinal"))
        with self.progress.step("PostgreSQL and Valkey"):
            refuse_unreachable()
            self.services.start()
        self.supervisor.environment = self.child_environment()
        self.folder.write_run({"address": self.address, "environment": self.services.environment()})
        self.prepare()
        pages, workers = self.children()
        with self.progress.step("Pages"):
            self.supervisor.start(pages)
            self.supervisor.wait_for(pages, self.answers, 60)
        self.announce()
        for worker in workers:
            self.supervisor.start(worker)

    def child_environment(self) -> dict[str, str]:
        """What pages and workers know. The owner's address is not among it: they act in the application's role."""
        environment = {
            **os.environ,
            **self.keys.environment(),
            **self.services.environment(),
            "CARDINAL_DATA_DIR": str(self.folder.path),
            "CARDINAL_NO_VENV": "1",
            "PYTHONUNBUFFERED": "1",
        }
        environment.setdefault("ALLOWED_HOSTS", ",".join(names_of_host(self.options.host)))
        del environment["DATABASE_OWNER_URL"]
        return environment

    def prepare(self) -> None:
        """Tables, static files and the demo, each unless nothing changed since it was made last."""
        known = read_stamp(self.folder.stamp) if self.services.postgres is not None and not self.is_new else {}
        code = fingerprint(REPOSITORY, CODE, "*.py")
        static = fingerprint(REPOSITORY, ["static", "annotation/questions"], "*")
        if (known.get("tables"), known.get("static")) != (code, static):
            self.make_tables(collect=known.get("static") != static)
            known |= {"tables": code, "static": static}
            write_private(self.folder.stamp, json.dumps(known))
        if not self.options.no_demo and known.get("demo") != code:
            with self.progress.step("Demo"):
                self.manage_all([["seed_demo"]])
                if "demo" not in known:
                    # Last: it prints new passwords once, so nothing may fail between this and showing them.
                    self.logins = self.manage_all([["demo_logins"]])
            write_private(self.folder.stamp, json.dumps(known | {"demo": code}))

    def make_tables(self, *, collect: bool) -> None:
        commands = [["migrate", "--noinput", "-v0"]]
        if collect:
            commands.append(["collectstatic", "--noinput", "--clear", "-v0"])
        with self.progress.step("Tables and static files" if collect else "Tables"):
            self.manage_all(commands, {"DATABASE_URL": self.services.environment()["DATABASE_OWNER_URL"]})

    def manage_all(self, commands: Sequence[Sequence[str]], extra: Mapping[str, str] | None = None) -> str:
        """Run commands of manage.py side by side; returns what they printed. One that fails is a refusal."""
        environment = {**self.supervisor.environment, **(extra or {})}
        running: list[tuple[str, Path, subprocess.Popen[bytes]]] = []
        for command in commands:
            log = self.folder.logs / f"{command[0]}.log"
            log.write_text("")
            log.chmod(0o600)
            line = [sys.executable, str(REPOSITORY / "manage.py"), *command]
            running.append((command[0], log, start(Command(line, log=log, environment=environment))))
        for name, log, process in running:
            if process.wait() != 0:
                raise failure(f"{name} failed", log)
        printed = "".join(log.read_text() for _, log, _ in running)
        for _, log, _ in running:
            log.unlink()
        return printed

    def children(self) -> tuple[Child, list[Child]]:
        python = sys.executable
        celery = [python, "-m", "config.launch.celery_child", "-A", "config.celery", "worker"]
        calm = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        pages = Child(
            "pages",
            [
                *(python, "-m", "uvicorn", "config.asgi:application"),
                *("--host", self.options.host, "--port", str(self.options.port)),
                # Django itself counts the proxies that it may trust.
                *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
                *("--timeout-graceful-shutdown", "5"),
            ],
        )
        default = Child(
            "worker",
            [*celery, "-Q", "default", "-B", "--pool", "prefork", "-c", "2", "-n", "default@cardinal", *calm],
        )
        generation = Child(
            "generation",
            [*celery, "-Q", "generation", "--pool", "prefork", "-c", "1", "-n", "generation@cardinal", *calm],
        )
        return pages, [generation, default]

    def answers(self) -> bool:
        """Whether the page itself is there; an error page is an answer, too, and better seen than waited for."""
        connection = http.client.HTTPConnection(urlsplit(self.address).hostname or "", self.options.port, 10)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def announce(self) -> None:
        show = self.progress.line
        show()
        show(f"  Cardinal is at {self.progress.bold(self.address)}")
        if self.logins:
            show()
            for line in self.logins.rstrip().splitlines():
                show(f"  {line}")
            show()
        elif not self.options.no_demo:
            show("  New demo passwords: python3 manage.py demo_logins --reset")
        show(f"  Logs: {self.folder.logs} · Ctrl-C stops everything")
        show()

    def show_status(self, models: str) -> None:
        words = [f"{child.name} {'up' if is_running(child) else 'down'}" for child in self.supervisor.children]
        self.progress.show_status("  " + " · ".join([*words, *([f"language models {models}"] if models else [])]))


def refuse_unreachable() -> None:
    """A server that the environment names must answer now, not in a traceback of some child later."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if os.environ.get(name):
            try:
                psycopg.connect(os.environ[name], connect_timeout=5).close()
            except psycopg.Error as error:
                raise LaunchError(f"{name} leads to no PostgreSQL: {first_line(error)}") from None
    if os.environ.get("REDIS_URL"):
        once = Retry(NoBackoff(), 0)
        try:
            with redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=5, retry=once) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            raise LaunchError(f"REDIS_URL leads to no Redis: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def host_for_browser(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  (the user's wish, shown as an address one can open)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def names_of_host(host: str) -> list[str]:
    """The names under which a browser may ask for the pages."""
    names = ["localhost", "127.0.0.1", "[::1]", host_for_browser(host)]
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        names += [socket.gethostname(), *socket.gethostbyname_ex(socket.gethostname())[2]]
    return list(dict.fromkeys(names))


def fingerprint(repository: Path, folders: Sequence[str], pattern: str) -> str:
    """Of the pinned packages and the files from which tables, static files and the demo are made."""
    digest = hashlib.sha256((repository / "constraints.txt").read_bytes())
    for folder in folders:
        for file in sorted((repository / folder).rglob(pattern)):
            if file.is_file():
                digest.update(f"{file.relative_to(repository)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def read_stamp(stamp: Path) -> dict[str, str]:
    try:
        written: dict[str, str] = json.loads(stamp.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return written
