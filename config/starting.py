"""What every process asks before it takes a request or a task."""

import sys

from django.core.exceptions import ImproperlyConfigured

from foundation.refusals import refuse_unsafe

# What gunicorn and uvicorn call a failed start, so that neither tries it again for ever.
FAILED_START = 3


def exit_if_unsafe() -> None:
    """End this process with one line for each refused setting, and without a traceback above them."""
    try:
        refuse_unsafe()
    except ImproperlyConfigured as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.stderr.flush()
        raise SystemExit(FAILED_START) from None
