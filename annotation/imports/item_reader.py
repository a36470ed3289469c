"""One row of a file as an item, or everything that is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from annotation.enums import ItemPurpose
from annotation.imports.cells import BadCell, read_flag, read_label, tidy
from annotation.imports.item_chats import Conversation, read_conversation
from annotation.imports.item_columns import FILES, MODELS, PROMPT_FILE, RESPONSES, ItemColumns
from annotation.imports.item_expectations import Expectations
from annotation.imports.item_media import NamedMedia, learn_chunk, shown_as
from annotation.imports.problems import show
from annotation.imports.schema import LONGEST, LONGEST_FLAG, flag_name
from foundation.text import UnsafeJSON, clean_text, load_json

Row = Mapping[str, str | None]
Found = TypeVar("Found")
NOTHING = Conversation([], [], [])

# The log's names of what the votes' schema calls otherwise.
LONGEST_OF = {"prompt_id": "prompt", "category": "category", "language": "language"}
LONGEST_MODEL = LONGEST["a"]
LONGEST_EXPLANATION = 20_000
# Asked of the enum only once: it is slow to say them.
PURPOSES = tuple(ItemPurpose.values)
CHECKED = frozenset({ItemPurpose.GOLD, ItemPurpose.ATTENTION, ItemPurpose.QUALIFICATION})


@dataclass(frozen=True)
class ReadItem:
    """A response that is a file has one empty turn, and stands in `files` by where the file is stored."""

    conversation: Conversation
    files: list[str]
    # As the cells name them.
    file_names: list[str]
    # By position of the responses; empty where nobody is ranked for one.
    models: list[str]
    prompt_key: str
    category: str
    language: str
    flags: list[str]
    # As the campaign names them.
    warnings: list[str]
    purpose: str
    # Canonical JSON.
    expected: str | None
    explanation: str

    @property
    def sides(self) -> list[tuple[list[str], str]]:
        """Each response's turns, and the name of its file where it is one."""
        return list(zip(self.conversation.turns, self.file_names, strict=True))


class BadRow(ValueError):
    """Everything that is wrong with one row."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        super().__init__("; ".join(texts))


class ItemReader:
    """Reads rows of a file into items of a campaign that shows `responses` at once."""

    def __init__(
        self,
        columns: ItemColumns,
        *,
        responses: int,
        expectations: Expectations,
        warned: Sequence[str] = (),
        media: NamedMedia | None = None,
    ) -> None:
        self._media = media or NamedMedia(None)
        self._columns = columns
        self._warned = {name.casefold(): name for name in warned}
        self._responses = responses
        self._expectations = expectations
        self._models_told = [(place, name) for place, name in enumerate(MODELS) if name in columns.by_meaning]
        self._sides = [pair for pair in zip(RESPONSES, FILES, strict=True) if {*pair} & set(columns.by_meaning)]

    @property
    def media_used(self) -> frozenset[int]:
        """The media that were named so far."""
        return frozenset(self._media.used)

    def prepare(self, cells: Mapping[str, list[str | None]]) -> None:
        """Look up what a piece of the file names before its rows are read."""
        learn_chunk(self._media, cells, names=(*FILES, PROMPT_FILE))

    def read(self, row: Row) -> ReadItem:
        """A row has its cells by meaning; one that is null, or holds nothing but white space, is empty."""
        wrong: list[str] = []

        def attempt(read: Callable[[Row], Found], otherwise: Found) -> Found:
            try:
                return read(row)
            except BadCell as error:
                wrong.append(str(error))
                return otherwise

        nothing: tuple[str, str | None] = ("", None)
        purpose, expected = attempt(self._purpose, nothing)
        named = self._named(row)
        item = ReadItem(
            conversation=attempt(self._conversation, NOTHING),
            files=attempt(lambda row: self._files(row, named), []),
            file_names=named,
            models=attempt(self._models, []),
            prompt_key=attempt(partial(self._label, "prompt_id"), ""),
            category=attempt(partial(self._label, "category"), ""),
            language=attempt(partial(self._label, "language"), ""),
            flags=attempt(self._flags, []),
            warnings=attempt(self._warnings, []),
            purpose=purpose,
            expected=expected,
            explanation=attempt(self._explanation, ""),
        )
        if wrong:
            raise BadRow(wrong)
        return item

    def _named(self, row: Row) -> list[str]:
        """The name of each response's file, "" for a text."""
        return [tidy(row.get(file)) if _given(row, file) else "" for _text, file in self._sides[: self._responses]]

    def _files(self, row: Row, named: list[str]) -> list[str]:
        return [
            self._media.find(self._columns.label(file), name).stored if name else ""
            for (_text, file), name in zip(self._sides, named, strict=False)
        ]

    def _filled(self, row: Row) -> list[str]:
        """The meaning of the cell of each response, in their order; as many as the campaign has. Raises BadCell."""
        filled = []
        for text, file in self._sides:
            given = [name for name in (text, file) if _given(row, name)]
            if len(given) > 1:
                raise BadCell(f"{self._columns.label(text)} and {self._columns.label(file)} are both given")
            filled += given
        if len(filled) != self._responses:
            raise BadCell(f"{len(filled)} {_plural(len(filled))}; an item of this campaign has {self._responses}")
        for place, name in enumerate(filled):
            if name not in (RESPONSES[place], FILES[place]):
                empty = RESPONSES[place] if RESPONSES[place] in self._columns.by_meaning else FILES[place]
                raise BadCell(f"{self._columns.label(empty)} is empty, {self._columns.label(filled[-1])} is not")
        return filled

    def _conversation(self, row: Row) -> Conversation:
        filled = self._filled(row)
        prompt, shown = _given(row, "prompt"), _given(row, PROMPT_FILE)
        if "prompt" in self._columns.by_meaning and not prompt and not shown:
            raise BadCell(f"{self._columns.label('prompt')} is empty")
        texts = [(self._columns.label(name), row[name] or "") for name in filled if name in RESPONSES]
        if not texts and not prompt and not shown:
            raise BadCell("there is no prompt: no column says it, and files do not begin with one")
        read = read_conversation(
            (self._columns.label("prompt"), prompt or ("" if shown else None)),
            (self._columns.label("system"), _given(row, "system")),
            texts or [("", "")],
        )
        return self._with_media(read, filled, shown)

    def _with_media(self, read: Conversation, filled: list[str], shown: str | None) -> Conversation:
        """With the files that the prompt shows, and an empty turn where a response is a file."""
        label = self._columns.label("prompt")
        asked = [message | {"content": self._media.resolve(label, message["content"])} for message in read.prompt]
        if shown:
            image = shown_as(self._media.find(self._columns.label(PROMPT_FILE), shown))
            said = asked[-1]["content"]
            asked[-1] = asked[-1] | {"content": f"{said}\n\n{image}" if said else image}
        if all(name in RESPONSES for name in filled):
            return Conversation(asked, read.follow_ups, read.turns)
        if read.follow_ups:
            raise BadCell("a response in several turns cannot stand beside one that is a file")
        texts = iter(read.turns)
        return Conversation(asked, [], [next(texts) if name in RESPONSES else [""] for name in filled])

    def _models(self, row: Row) -> list[str]:
        names = [""] * self._responses
        for place, meaning in self._models_told:
            name = tidy(row.get(meaning))
            if len(name) > LONGEST_MODEL:
                raise BadCell(f"{self._columns.label(meaning)} has {len(name)} characters, more than {LONGEST_MODEL}")
            if name and place >= self._responses:
                raise BadCell(f"{self._columns.label(meaning)} names the model of a response that is not there")
            if name:
                names[place] = name
        return names

    def _label(self, name: str, row: Row) -> str:
        cell = tidy(row.get(name))
        try:
            return read_label(LONGEST_OF[name], cell)
        except BadCell as error:
            raise BadCell(
                f"{self._columns.label(name)} has {len(cell)} characters, {str(error).split(', ')[1]}"
            ) from error

    def _flags(self, row: Row) -> list[str]:
        flags = _listed(self._columns.label("flags"), (row.get("flags") or "").strip())
        for meaning in self._columns.flags:
            if (cell := tidy(row.get(meaning))) and read_flag(self._columns.label(meaning), cell):
                flags.append(flag_name(meaning))
        long = next((flag for flag in flags if len(flag) > LONGEST_FLAG), None)
        if long is not None:
            raise BadCell(f"the flag {show(long)} has {len(long)} characters, more than {LONGEST_FLAG}")
        return list(dict.fromkeys(flags))

    def _warnings(self, row: Row) -> list[str]:
        """Only categories that the campaign names: an unknown one would warn nobody."""
        label = self._columns.label("warnings")
        named = _listed(label, (row.get("warnings") or "").strip())
        strange = next((name for name in named if name.casefold() not in self._warned), None)
        if strange is not None:
            known = ", ".join(self._warned.values()) or "it has none"
            raise BadCell(f"{label} names {show(strange)}, no category of content of this campaign ({known})")
        return list(dict.fromkeys(self._warned[name.casefold()] for name in named))

    def _purpose(self, row: Row) -> tuple[str, str | None]:
        purpose = tidy(row.get("purpose")).lower() or self._columns.default_purpose
        if purpose not in PURPOSES:
            raise BadCell(f"{self._columns.label('purpose')} is {show(purpose)}, not {', '.join(PURPOSES)}")
        cell = (row.get("expected") or "").strip()
        if not cell and purpose in CHECKED:
            raise BadCell(f"expected is empty, and the item is for {purpose}: say what a right answer is")
        return purpose, self._expectations.read(cell) if cell else None

    def _explanation(self, row: Row) -> str:
        text = clean_text((row.get("explanation") or "").strip())
        if len(text) > LONGEST_EXPLANATION:
            raise BadCell(f"explanation has {len(text)} characters, more than {LONGEST_EXPLANATION}")
        return text


def _given(row: Row, name: str) -> str | None:
    cell = row.get(name)
    return cell if cell and clean_text(cell).strip() else None


def _plural(count: int) -> str:
    return "response" if count == 1 else "responses"


def _listed(label: str, cell: str) -> list[str]:
    """A JSON list of texts, or names with commas between them."""
    if not cell.startswith("["):
        return [flag for part in cell.split(",") if (flag := tidy(part))]
    try:
        value = load_json(cell)
    except UnsafeJSON as error:
        raise BadCell(f"{label} is {show(cell)}, not a list as JSON has it") from error
    if not all(isinstance(each, str) for each in value):
        raise BadCell(f"{label} is {show(cell)}, not a list of texts")
    return [flag for each in value if (flag := tidy(each))]
