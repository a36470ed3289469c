import shutil
import time
from datetime import datetime
from itertools import islice
from pathlib import Path

from annotation.models import MediaFile
from foundation.database import advisory_lock
from foundation.media.store import FILES_LOCK, FOLDER, UNFINISHED, files_root
from inference_workers.models import CompletionFile

# Until then somebody may still be sending it.
SECONDS_UNCLAIMED = 86_400
AT_ONCE = 500


def sweep_media(*, now: datetime) -> int:
    """Remove files of media that no campaign names any more, and what uploads left that died; how many."""
    removed = 0
    for folder in files_root().glob(f"{UNFINISHED}*") if files_root().is_dir() else ():
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    old = (path for path in files_root().glob("??/*") if _is_old(path))
    while paths := list(islice(old, AT_ONCE)):
        removed += _remove_unnamed(paths)
    return removed


def _remove_unnamed(paths: list[Path]) -> int:
    """Under the lock that uploads hold: a file that somebody has just named anew is young again."""
    by_stored = {f"{FOLDER}/{path.parent.name}/{path.name}": path for path in paths}
    with advisory_lock(FILES_LOCK):
        named = {
            stored
            for column in ("stored", "captions")
            for stored in MediaFile.objects.filter(**{f"{column}__in": list(by_stored)}).values_list(column, flat=True)
        }
        named |= set(CompletionFile.objects.filter(stored__in=list(by_stored)).values_list("stored", flat=True))
        gone = [path for stored, path in by_stored.items() if stored not in named and _is_old(path)]
        for path in gone:
            path.unlink(missing_ok=True)
    return len(gone)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > SECONDS_UNCLAIMED
    except FileNotFoundError:
        return False
