"""`python -m tests.worker_process worker …`: Celery on the tests' PostgreSQL, which a real start refuses because it
does not wait for the disk. `tests/config` has the tests of that refusal."""

import sys

from celery.bin.celery import main

from config import starting

if __name__ == "__main__":
    starting.exit_if_unsafe = lambda: None
    sys.argv[0] = "celery"
    main()
