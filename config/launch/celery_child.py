"""`python -m config.launch.celery_child worker …`: Celery, with pool and scheduler processes that die with it.

The supervisor asks the kernel to end this process when it dies; this does the same one level down.
"""

import functools
import os
import signal
import sys

from celery.bin.celery import main
from celery.signals import beat_embedded_init, worker_process_init

from config.launch.processes import die_with_parent


def tie_children(parent: int) -> None:
    tie = functools.partial(tie_child, parent)
    worker_process_init.connect(tie, weak=False)
    beat_embedded_init.connect(tie, weak=False)


def tie_child(parent: int, **signal_arguments: object) -> None:
    die_with_parent(parent, signal.SIGKILL)


if __name__ == "__main__":
    tie_children(os.getpid())
    sys.argv[0] = "celery"
    main()
