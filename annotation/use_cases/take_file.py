from datetime import datetime
from pathlib import PurePosixPath

from annotation.enums import TurnKind
from annotation.models import MediaFile, Turn
from inference_workers.models import CompletionFile

# How files that models wrote are called in their campaign.
NAMED = "written-"
MEASURES = ("kind", "sha256", "stored", "content_type", "size", "width", "height", "seconds")


def take_file(*, turn: Turn, campaign_id: int, now: datetime) -> None:
    """A completion that is a file becomes one of the campaign's files, under a name that tells nothing, in the caller's
    transaction. Nothing where it is text."""
    file: CompletionFile | None = getattr(turn.job, "file", None)
    if file is None:
        return
    MediaFile.objects.get_or_create(
        campaign_id=campaign_id,
        name=f"{NAMED}{file.sha256[:32]}{PurePosixPath(file.stored).suffix}",
        defaults={name: getattr(file, name) for name in MEASURES} | {"created_at": now},
    )
    turn.kind, turn.file = TurnKind.FILE, file.stored
    turn.save(update_fields=["kind", "file"])
