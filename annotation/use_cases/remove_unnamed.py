from collections.abc import Callable, Collection
from pathlib import Path

from annotation.models import MediaFile
from foundation.database import advisory_lock
from foundation.media.store import FILES_LOCK, media_path
from inference_workers.models import CompletionFile


def remove_unnamed(*, stored: Collection[str], is_due: Callable[[Path], bool] = Path.is_file) -> int:
    """Remove those of the files that no row names, under the lock that uploads and workers hold; how many."""
    with advisory_lock(FILES_LOCK):
        named = {
            name
            for column in ("stored", "captions")
            for name in MediaFile.objects.filter(**{f"{column}__in": list(stored)}).values_list(column, flat=True)
        }
        named |= set(CompletionFile.objects.filter(stored__in=list(stored)).values_list("stored", flat=True))
        gone = [path for name in stored if name not in named and is_due(path := media_path(name))]
        for path in gone:
            path.unlink(missing_ok=True)
    return len(gone)
