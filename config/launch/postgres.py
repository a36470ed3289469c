"""A PostgreSQL of our own: one cluster folder, loopback only, gone when its parent is gone."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.errors import LaunchError
from config.launch.processes import Account, Command, failure, free_port, last_lines, start, stop, wait_until

OWNER = "cardinal_owner"
APPLICATION = "cardinal_app"
DATABASE = "cardinal"
START_SECONDS = 60

# For tests alone: what a power cut would lose, nobody misses.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Passwords:
    """Of the two roles. Empty ones make a cluster that trusts every local connection (tests)."""

    owner: str = ""
    application: str = ""


@dataclass
class PostgresServer:
    """`cluster` is the data folder, made at the first start; `programs` the folder of the binaries."""

    cluster: Path
    programs: Path
    log: Path
    account: Account
    passwords: Passwords = field(default_factory=Passwords)
    durable: bool = True
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.refuse_other_version()
        if not (self.cluster / "PG_VERSION").exists():
            self.create()
        self.port = self.port or free_port()
        for _ in range(100):
            self.process = self.launch()
            if wait_until(self.is_ready, self.process, START_SECONDS):
                return
            if not self.predecessor_is_stopping():
                break
            time.sleep(0.1)
        raise failure("PostgreSQL did not start", self.log)

    def launch(self) -> "subprocess.Popen[bytes]":
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "random_page_cost": "1.1",
            "log_checkpoints": "off",
            **({} if self.durable else FORGETFUL),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return start(
            Command(
                [str(self.programs / "postgres"), "-D", self.cluster_argument(), *options],
                log=self.log,
                death_signal=signal.SIGINT,  # its fast shutdown
                directory=self.cluster,
                account=self.account,
                environment=server_environment(),
            )
        )

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, [signal.SIGINT if self.durable else signal.SIGQUIT, signal.SIGQUIT], 10)

    def url(self, role: str) -> str:
        password = {OWNER: self.passwords.owner, APPLICATION: self.passwords.application}[role]
        return f"postgres://{role}{':' + password if password else ''}@127.0.0.1:{self.port}/{DATABASE}"

    def cluster_argument(self) -> str:
        """As another user the server may not be allowed through the folders above its own (`/root`, say).

        It starts inside its folder, so on Linux the kernel's name for the working folder always leads there.
        """
        if self.account.uid is not None and sys.platform == "linux":
            return "/proc/self/cwd"
        return str(self.cluster)

    def create(self) -> None:
        """Make the cluster, its two roles and the database, in place of a half-made one."""
        if self.cluster.exists():
            shutil.rmtree(self.cluster)
        self.cluster.mkdir(parents=True, mode=0o700)
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(self.cluster, self.account.uid, self.account.gid)
        self.run_once(
            "initdb",
            *("--pgdata", self.cluster_argument(), "--username", OWNER, "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--auth", "trust", "--no-instructions"),
            *([] if self.durable else ["--no-sync"]),
        )
        statements = [
            f"CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE",
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        ]
        if self.passwords.owner:
            # The server has not run yet, so nobody could connect before this.
            (self.cluster / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
            statements += [
                f"ALTER ROLE {OWNER} PASSWORD '{self.passwords.owner}'",
                f"ALTER ROLE {APPLICATION} PASSWORD '{self.passwords.application}'",
            ]
        # PG_VERSION marks a whole cluster for the next start; a failure here takes the folder away again.
        try:
            self.run_once(
                "postgres",
                *("--single", "-D", self.cluster_argument(), "postgres"),
                stdin="".join(f"{statement};\n" for statement in statements),
            )
        except LaunchError:
            shutil.rmtree(self.cluster)
            raise

    def run_once(self, program: str, *arguments: str, stdin: str = "") -> None:
        """Run a program of PostgreSQL's to its end. A statement that fails is a failure, whatever its exit status."""
        account: dict[str, object] = {}
        if self.account.uid is not None:
            account = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        with self.log.open("ab") as log:
            before = log.tell()
            done = subprocess.run(  # type: ignore[call-overload]
                [str(self.programs / program), *arguments],
                input=stdin.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.cluster,
                env=server_environment(),
                **account,
            )
        said = self.log.read_bytes()[before:]
        if done.returncode != 0 or b"ERROR:" in said:
            raise failure(f"{program} failed", self.log)

    def is_ready(self) -> bool:
        """The server writes its state into the eighth line of its pid file."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return self.process is not None and lines[0] == str(self.process.pid) and "ready" in "".join(lines[7:8])

    def predecessor_is_stopping(self) -> bool:
        """A server whose supervisor was killed is still writing its last checkpoint."""
        return 'postmaster.pid" already exists' in last_lines(self.log, 4)

    def refuse_other_version(self) -> None:
        written = self.cluster / "PG_VERSION"
        if not written.exists():
            return
        ours = major_version(self.programs)
        theirs = written.read_text().strip()
        if theirs != ours:
            raise LaunchError(
                f"{self.cluster} was made by PostgreSQL {theirs}, this Cardinal runs PostgreSQL {ours}: "
                "restore a backup into a new CARDINAL_DATA_DIR (`manage.py restore FILE`), or move it away"
            )


def major_version(programs: Path) -> str:
    printed = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)", printed)
    if found is None:
        raise LaunchError(f"{programs / 'postgres'} does not tell its version")
    return found[1]


def server_environment() -> dict[str, str]:
    """Nothing of ours: no secret reaches the server, and no locale of the caller its messages."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
