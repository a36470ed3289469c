"""Where a dataset's files lie: under the media root, by campaign and version, moved there whole."""

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings

from annotation.models import DatasetVersion

UNFINISHED = "unfinished"


def datasets_root() -> Path:
    return Path(settings.MEDIA_ROOT) / "datasets"


def version_folder(version: DatasetVersion) -> Path:
    return datasets_root() / version.campaign.slug / f"v{version.number}"


def unfinished_folder(version: DatasetVersion, token: UUID) -> Path:
    """Where one attempt writes; no other attempt writes there, and nobody reads there."""
    return datasets_root() / version.campaign.slug / f"v{version.number}.{UNFINISHED}.{token}"


def move_into_place(unfinished: Path, final: Path) -> None:
    """Rename, so that the final folder is whole or absent. What an attempt left that died just after is replaced."""
    if final.exists():
        shutil.rmtree(final)
    unfinished.rename(final)


def remove_unfinished(version: DatasetVersion) -> None:
    """Everything that earlier attempts at this version left behind."""
    for folder in version_folder(version).parent.glob(f"v{version.number}.{UNFINISHED}.*"):
        shutil.rmtree(folder, ignore_errors=True)
