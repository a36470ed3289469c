"""Files of a campaign's media as a file of items names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from annotation.imports.cells import BadCell, tidy
from annotation.imports.problems import show
from annotation.models import MediaFile
from annotation.queries.media import names_in, references


@dataclass(frozen=True)
class Named:
    pk: int
    stored: str
    sha256: str


class NamedMedia:
    """Knows the names of one piece of a file at a time, however many media the campaign has. `used` are all that were
    found, by key: they must still be there when the items are written.
    """

    def __init__(self, campaign_id: int | None) -> None:
        self._campaign = campaign_id
        self._known: dict[str, Named] = {}
        self.used: set[int] = set()

    def learn(self, names: Iterable[str | None], texts: Iterable[str | None]) -> None:
        """The names that a piece holds in cells, and in texts that show files. One statement, or none."""
        wanted = {tidy(name) for name in names if name} | names_in(text for text in texts if text)
        self._known = {}
        if wanted and self._campaign is not None:
            rows = MediaFile.objects.filter(campaign=self._campaign, name__in=wanted)
            for name, pk, stored, sha256 in rows.values_list("name", "pk", "stored", "sha256"):
                self._known[name] = Named(pk, stored, sha256)

    def find(self, label: str, name: str) -> Named:
        """Raises BadCell for a name that no file of the campaign has."""
        found = self._known.get(tidy(name))
        if found is None:
            raise BadCell(f"{label} names {show(tidy(name))}, and no file of the campaign’s media is called so")
        self.used.add(found.pk)
        return found

    def resolve(self, label: str, text: str) -> str:
        """The text with each file that it shows under its digest, which does not tell its name. Raises BadCell."""
        pieces, end = [], 0
        for reference in references(text):
            found = self.find(label, reference.name)
            pieces += [text[end : reference.start], shown_as(found, reference.alt)]
            end = reference.end
        return "".join([*pieces, text[end:]])


def shown_as(media: Named, alt: str = "") -> str:
    return f"![{alt}](media:{media.sha256})"


def learn_chunk(media: NamedMedia, cells: Mapping[str, list[str | None]], *, names: Iterable[str]) -> None:
    """From the columns of a piece of the file, by what they mean."""
    named = (cell for meaning in names for cell in cells.get(meaning, ()))
    texts = (cell for meaning in ("prompt", "system") for cell in cells.get(meaning, ()))
    media.learn(named, texts)
