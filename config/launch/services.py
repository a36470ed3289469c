"""The two servers behind the application: the user's own where a URL names them, else ours."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.binaries import programs_for
from config.launch.postgres import APPLICATION, OWNER, Passwords, PostgresServer
from config.launch.processes import server_account
from config.launch.valkey import ValkeyServer


@dataclass(frozen=True)
class ServicePasswords:
    postgres: Passwords = field(default_factory=Passwords)
    valkey: str = ""


@dataclass
class Services:
    """`postgres` and `valkey` are None where the environment names a server."""

    postgres: PostgresServer | None
    valkey: ValkeyServer | None

    def environment(self) -> dict[str, str]:
        """DATABASE_URL (the application's role), DATABASE_OWNER_URL and REDIS_URL for the children."""
        found: dict[str, str] = {}
        if self.postgres is not None:
            found["DATABASE_URL"] = self.postgres.url(APPLICATION)
            found["DATABASE_OWNER_URL"] = self.postgres.url(OWNER)
        else:
            found["DATABASE_URL"] = os.environ["DATABASE_URL"]
            found["DATABASE_OWNER_URL"] = os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
        found["REDIS_URL"] = self.valkey.url() if self.valkey is not None else os.environ["REDIS_URL"]
        return found

    def start(self) -> None:
        if self.postgres is not None:
            self.postgres.start()
        if self.valkey is not None:
            self.valkey.start()

    def stop(self) -> None:
        if self.valkey is not None:
            self.valkey.stop()
        if self.postgres is not None:
            self.postgres.stop()


def prepare_services(
    directory: Path, *, programs_cache: Path, passwords: ServicePasswords | None = None, durable: bool = True
) -> Services:
    """Servers with their data and logs in `directory`, not started yet.

    A `durable` pair keeps what it acknowledged through a power cut. Without passwords it trusts local
    connections (tests).
    """
    passwords = passwords or ServicePasswords()
    logs = directory / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    need_postgres, need_valkey = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
    cluster = directory / "postgres"
    account = server_account(cluster)
    programs = programs_for(account, programs_cache) if need_postgres or need_valkey else None
    postgres = valkey = None
    if need_postgres and programs is not None:
        postgres = PostgresServer(
            cluster, programs.postgres, logs / "postgres.log", account, passwords.postgres, durable
        )
    if need_valkey and programs is not None:
        valkey = ValkeyServer(programs.valkey, logs / "valkey.log", account, passwords.valkey)
    return Services(postgres, valkey)
