"""A Redis-protocol server of our own: loopback only, nothing on disk, gone when its parent is gone.

What it holds are hints and streams under way; every fact is in PostgreSQL, so it starts empty each time.
"""

import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.launch.processes import Account, Command, failure, free_port, start, stop, wait_until

DATABASES = 128  # one for each parallel test worker


@dataclass
class ValkeyServer:
    program: Path
    log: Path
    account: Account
    password: str = ""
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.port = self.port or free_port()
        configuration = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"databases {DATABASES}",
            'save ""',
            "appendonly no",
            "dir /",
        ]
        if self.password:
            configuration.append(f"requirepass {self.password}")
        self.process = start(
            Command(
                [str(self.program), "-"],  # from standard input: no password in the process list
                log=self.log,
                death_signal=signal.SIGTERM,
                account=self.account,
                environment={"LC_ALL": "C", "TZ": "UTC"},
                stdin="\n".join(configuration).encode() + b"\n",
            )
        )
        if not wait_until(self.is_ready, self.process, 20):
            raise failure("Valkey did not start", self.log)

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, [signal.SIGTERM], 5)

    def url(self) -> str:
        return f"redis://{':' + self.password + '@' if self.password else ''}127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16)[:1] in (b"+", b"-")
        except OSError:
            return False
