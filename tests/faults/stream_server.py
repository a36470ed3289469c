"""`python -m tests.faults.stream_server PORT`: the streams as the compose file runs them, on the tests' PostgreSQL,
which a real start refuses because it does not wait for the disk."""

import sys

import uvicorn

from config import starting

if __name__ == "__main__":
    starting.exit_if_unsafe = lambda: None
    uvicorn.run("config.asgi:streams", port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1)
