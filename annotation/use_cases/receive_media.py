from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts.models import Person
from annotation.enums import MediaKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, MediaFile
from annotation.policies.drafts import refuse_if_closed
from annotation.use_cases.record_event import record_event
from foundation.database import advisory_lock
from foundation.media.archive import is_archive, unpack
from foundation.media.check import BadMedia
from foundation.media.store import FILES_LOCK, StagedMedia, keep, media_name, staged, staging_folder, write_pieces

MOST_PROBLEMS = 100
UNNAMED = "?"


class MediaRefused(AnnotationError):
    """Nothing was kept. `problems` name each file that is not taken, and why."""

    def __init__(self, problems: Sequence[BadMedia]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class Received:
    """The campaign's files by what came; `new` counts those that it did not have. `captions` are of so many films."""

    files: list[MediaFile]
    new: int
    captions: int = 0


def receive_media(
    *, campaign_id: int, files: Iterable[tuple[str, Iterable[bytes]]], actor: Person, now: datetime
) -> Received:
    """Take files, and what is in ZIPs among them, into a campaign: all of them, or none.

    A file that is there already under its name stays as it is. Captions go to the film of the same name before the
    ending, also to one that is there already, in place of those it has. Raises MediaRefused and CampaignIsClosed.
    """
    with staging_folder() as folder:
        found, problems = _check_all(folder, files)
        if problems:
            raise MediaRefused(problems)
        with transaction.atomic():
            campaign = Campaign.objects.select_for_update(no_key=True, of=["self"]).get(pk=campaign_id)
            refuse_if_closed(campaign)
            return _take(campaign, found, actor, now)


def _check_all(
    folder: Path, files: Iterable[tuple[str, Iterable[bytes]]]
) -> tuple[dict[str, StagedMedia], list[BadMedia]]:
    """By name. What is wrong is told of every file, not of the first alone."""
    found: dict[str, StagedMedia] = {}
    problems: list[BadMedia] = []
    for number, (given, content) in enumerate(files):
        name = media_name(given) or UNNAMED
        try:
            for path, said in _unpacked(folder / str(number), name, content):
                _check_one(path, said, found, problems)
        except BadMedia as bad:
            problems.append(bad)
        if len(problems) >= MOST_PROBLEMS:
            break
    return found, problems[:MOST_PROBLEMS]


def _unpacked(path: Path, name: str, content: Iterable[bytes]) -> Iterable[tuple[Path, str]]:
    # A ZIP may be as large as all that it holds; each file in it is measured by itself.
    write_pieces(path, content, name=name, most=settings.MEDIA_UPLOAD_MAX_MB * 1_000_000)
    with path.open("rb") as file:
        packed = is_archive(file.read(4))
    return unpack(path, name, path.parent) if packed else [(path, name)]


def _check_one(path: Path, name: str, found: dict[str, StagedMedia], problems: list[BadMedia]) -> None:
    try:
        media = staged(path, name)
    except BadMedia as bad:
        problems.append(bad)
        return
    other = found.setdefault(name, media)
    if other.sha256 != media.sha256:
        problems.append(BadMedia(name, "two files are called so, with different contents"))


def _take(campaign: Campaign, came: dict[str, StagedMedia], actor: Person, now: datetime) -> Received:
    found = {name: media for name, media in came.items() if media.checked.kind is not None}
    captions = [media for media in came.values() if media.checked.kind is None]
    known = {media.name: media for media in MediaFile.objects.filter(campaign=campaign, name__in=list(found))}
    problems = [
        BadMedia(name, "the campaign has another file of this name; rename this one, or remove that one")
        for name, media in known.items()
        if media.sha256 != found[name].sha256
    ]
    if problems:
        raise MediaRefused(problems[:MOST_PROBLEMS])
    new = [media for name, media in found.items() if name not in known]
    with advisory_lock(FILES_LOCK):
        for media in new:
            keep(media)
        made = MediaFile.objects.bulk_create([_row(campaign, media, actor, now) for media in new], batch_size=1000)
    if made:
        data = {"files": len(made), "bytes": sum(media.size for media in made)}
        record_event(subject=campaign, verb="media_uploaded", actor=actor, data=data)
    if captions:
        _caption(campaign, captions, actor)
    return Received([*known.values(), *made], len(made), len(captions))


def _caption(campaign: Campaign, captions: list[StagedMedia], actor: Person) -> None:
    """What one film shows it shows under each of its names."""
    films: dict[str, list[str]] = defaultdict(list)
    for name, digest in MediaFile.objects.filter(campaign=campaign, kind=MediaKind.VIDEO).values_list("name", "sha256"):
        films[_stem(name)].append(digest)
    alone = [media.name for media in captions if _stem(media.name) not in films]
    if alone:
        words = "no film of the campaign is called so before the ending; send it with its captions, or before them"
        raise MediaRefused([BadMedia(name, words) for name in alone[:MOST_PROBLEMS]])
    with advisory_lock(FILES_LOCK):
        for media in captions:
            keep(media)
            shown = MediaFile.objects.filter(campaign=campaign, sha256__in=films[_stem(media.name)])
            shown.update(captions=media.stored)
    record_event(subject=campaign, verb="captions_uploaded", actor=actor, data={"files": len(captions)})


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _row(campaign: Campaign, media: StagedMedia, actor: Person, now: datetime) -> MediaFile:
    return MediaFile(
        campaign=campaign,
        kind=media.checked.kind or "",
        name=media.name,
        sha256=media.sha256,
        stored=media.stored,
        content_type=media.checked.content_type,
        size=media.size,
        width=media.checked.width,
        height=media.checked.height,
        seconds=media.checked.seconds,
        created_by=actor,
        created_at=now,
    )
