import shutil
import time
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction

from annotation.use_cases.forget_files import forget_files
from annotation.use_cases.remove_unnamed import remove_unnamed
from foundation.media.store import FOLDER, UNFINISHED, files_root
from inference_workers.models import CompletionFile

# Until then somebody may still be sending it.
SECONDS_UNCLAIMED = 86_400
AT_ONCE = 500


def sweep_media(*, now: datetime) -> int:
    """Remove files of media that no campaign names any more, what uploads left that died, and what models made for
    people who were erased by whatever way; how many."""
    with transaction.atomic():
        erased = CompletionFile.objects.filter(completion__person__erased_at__isnull=False)
        forget_files(person_ids=set(erased.values_list("completion__person", flat=True)))
    removed = 0
    for folder in files_root().glob(f"{UNFINISHED}*") if files_root().is_dir() else ():
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    old = (path for path in files_root().glob("??/*") if _is_old(path))
    while paths := list(islice(old, AT_ONCE)):
        # A file that somebody has just named anew is young again.
        stored = [f"{FOLDER}/{path.parent.name}/{path.name}" for path in paths]
        removed += remove_unnamed(stored=stored, is_due=_is_old)
    return removed


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > SECONDS_UNCLAIMED
    except FileNotFoundError:
        return False
