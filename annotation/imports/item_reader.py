"""One row of a file as an item, or everything that is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from annotation.enums import ItemPurpose
from annotation.imports.cells import BadCell, read_flag, read_label, tidy
from annotation.imports.item_chats import Conversation, read_conversation
from annotation.imports.item_columns import MODELS, RESPONSES, ItemColumns
from annotation.imports.item_expectations import Expectations
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
    conversation: Conversation
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


class BadRow(ValueError):
    """Everything that is wrong with one row."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        super().__init__("; ".join(texts))


class ItemReader:
    """Reads rows of a file into items of a campaign that shows `responses` at once."""

    def __init__(
        self, columns: ItemColumns, *, responses: int, expectations: Expectations, warned: Sequence[str] = ()
    ) -> None:
        self._columns = columns
        self._warned = {name.casefold(): name for name in warned}
        self._responses = responses
        self._expectations = expectations
        self._models_told = [(place, name) for place, name in enumerate(MODELS) if name in columns.by_meaning]
        self._answers = [name for name in RESPONSES if name in columns.by_meaning]

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
        item = ReadItem(
            conversation=attempt(self._conversation, NOTHING),
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

    def _conversation(self, row: Row) -> Conversation:
        filled = [name for name in self._answers if _given(row, name)]
        if len(filled) != self._responses:
            raise BadCell(f"{len(filled)} {_plural(len(filled))}; an item of this campaign has {self._responses}")
        wanted = list(RESPONSES[: self._responses])
        if filled != wanted:
            empty = next(name for name in wanted if name not in filled)
            raise BadCell(f"{self._columns.label(empty)} is empty, {self._columns.label(filled[-1])} is not")
        if "prompt" in self._columns.by_meaning and not _given(row, "prompt"):
            raise BadCell(f"{self._columns.label('prompt')} is empty")
        return read_conversation(
            (self._columns.label("prompt"), _given(row, "prompt")),
            (self._columns.label("system"), _given(row, "system")),
            [(self._columns.label(name), row[name] or "") for name in filled],
        )

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
