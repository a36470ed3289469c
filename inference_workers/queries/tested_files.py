"""What becomes of a file that a test brought, were it an answer in an arena."""

import shutil
import tempfile
from pathlib import Path

from foundation.media.check import BadMedia, check_media
from foundation.media.kinds import MediaKind
from foundation.media.store import media_path
from foundation.media.uniform import write_uniform
from inference_workers.models import CompletionFile

# As a worker calls it: a file's own name could tell who made it.
NAME = "the file"


def refusal_in_arenas(file: CompletionFile) -> str:
    """Why arenas, which make all models' files alike, would refuse it; empty where they would take it. It is tried on
    a copy. Raises FileNotFoundError where the file was swept away since."""
    with tempfile.TemporaryDirectory(prefix="tested-") as folder:
        copy = Path(folder) / "0"
        shutil.copyfile(media_path(file.stored), copy)
        try:
            write_uniform(copy, MediaKind(file.kind))
            check_media(copy, NAME)
        except BadMedia as bad:
            return bad.reason
        except ValueError as error:
            return str(error)
    return ""
