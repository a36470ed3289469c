"""Media of a campaign: which there are, which are in use, and which a text shows."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from django.db.models import Q, QuerySet, Sum

from annotation.enums import TurnKind
from annotation.models import Campaign, ConsentText, GuidelinesVersion, Item, MediaFile, Turn

# As Markdown writes a picture whose address is a file of ours: ![words](media:name) or ![words](<media:a name>).
REFERENCE = re.compile(
    r"!\[(?P<alt>[^\[\]\n]{0,500})\]"
    r"\((?:<media:(?P<spaced>[^<>\n]{1,300})>|media:(?P<plain>[^\s()<>]{1,300}(?:\([^\s()<>]{0,300}\)[^\s()<>]{0,300})*))\)"
)
MARK = "](media:"
MARK_SPACED = "](<media:"


@dataclass(frozen=True)
class Reference:
    """A place in a text that shows a file."""

    start: int
    end: int
    alt: str
    name: str


def references(text: str) -> Iterator[Reference]:
    if MARK not in text and MARK_SPACED not in text:
        return
    for found in REFERENCE.finditer(text):
        yield Reference(*found.span(), found["alt"], unquote(found["spaced"] or found["plain"]))


def digest_of(stored: str) -> str:
    return stored.rpartition("/")[2].partition(".")[0]


def names_in(texts: Iterable[str]) -> set[str]:
    return {reference.name for text in texts for reference in references(text)}


def media_by_name(campaign_id: int, names: Collection[str]) -> dict[str, MediaFile]:
    """One statement, and none where no name is asked for."""
    if not names:
        return {}
    return {media.name: media for media in MediaFile.objects.filter(campaign=campaign_id, name__in=names)}


def media_of_text(campaign_id: int, text: str) -> dict[str, MediaFile]:
    return media_by_name(campaign_id, names_in([text]))


def published_media(campaign: Campaign, digest: str) -> MediaFile | None:
    """A file that the campaign's guidelines or consent text show now."""
    texts = [version.text for version in (campaign.guidelines, campaign.consent) if version is not None]
    found = MediaFile.objects.filter(campaign=campaign, sha256=digest, name__in=names_in(texts))
    return found.first()


def listed_media(campaign: Campaign, *, text: str = "", kind: str = "") -> QuerySet[MediaFile]:
    """Newest first."""
    media = MediaFile.objects.filter(campaign=campaign).order_by("-pk")
    if text:
        media = media.filter(name__icontains=text)
    return media.filter(kind=kind) if kind else media


def media_bytes(campaign: Campaign) -> int:
    return MediaFile.objects.filter(campaign=campaign).aggregate(all=Sum("size"))["all"] or 0


def is_used(media: MediaFile) -> bool:
    """Whether an item, of a dry run too, or any text of the campaign shows it, published or not yet."""
    if _in_texts(media):
        return True
    items = Item.objects.filter(Q(campaign=media.campaign_id) | Q(campaign__shadow_of=media.campaign_id))
    if Turn.objects.filter(kind=TurnKind.FILE, file=media.stored, response__item__in=items).exists():
        return True
    shown = f"media:{media.sha256}"
    in_prompt = items.filter(prompt__messages__icontains=shown)
    return in_prompt.exists() or items.filter(follow_ups__messages__icontains=shown).exists()


def _in_texts(media: MediaFile) -> bool:
    drafts = [value for value in media.campaign.draft.values() if isinstance(value, str)]
    texts: list[str] = [*drafts]
    for versions in (GuidelinesVersion, ConsentText):
        texts += versions.objects.filter(campaign=media.campaign_id, text__contains="media:").values_list(
            "text", flat=True
        )
    return media.name in names_in(texts)
