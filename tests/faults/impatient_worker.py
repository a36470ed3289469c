"""`python -m tests.faults.impatient_worker worker …`: a generation worker that gives back what it has a second after it
was told to stop, and not ten."""

import sys

import django
from celery.bin.celery import main

from config import starting

if __name__ == "__main__":
    starting.exit_if_unsafe = lambda: None
    django.setup()
    from inference_workers.tasks import pump

    pump.DRAIN_SECONDS = 1.0
    sys.argv[0] = "celery"
    main()
