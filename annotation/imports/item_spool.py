"""The items of a checked file, kept on disk between being checked and being written; the first ones, to be shown."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from annotation.imports.formats import open_table
from annotation.imports.item_columns import ItemColumns, ItemShape
from annotation.imports.item_reader import BadRow, ItemReader, ReadItem
from annotation.imports.messages import canonical_messages
from annotation.imports.normalise import array_literal
from annotation.imports.problems import BrokenFile, Problem, Problems, show
from annotation.imports.spool import ReportFraction
from annotation.imports.table_file import Chunk

MOST_PROBLEMS = 100
# More names than that are no models: another column is meant.
MOST_MODELS = 10_000
NOBODY = -1
PREVIEWED = 20
# Lines of JSON name their members anew; those of the first are the columns.
PEEKED = 200
LONGEST_SAMPLE = 300
ITEMS = pa.schema(
    [
        # Canonical JSON of the messages.
        ("prompt", pa.string()),
        # JSON of each message between two turns.
        ("follow_ups", pa.list_(pa.string())),
        # Response by response, as many turns for each.
        ("turns", pa.list_(pa.string())),
        # Beside each turn where its file is stored; null for a text.
        ("files", pa.list_(pa.string())),
        # A code for each response.
        ("models", pa.list_(pa.int32())),
        ("prompt_key", pa.string()),
        ("category", pa.string()),
        ("language", pa.string()),
        # PostgreSQL's literal of an array of text.
        ("flags", pa.string()),
        ("warnings", pa.string()),
        ("purpose", pa.string()),
        ("expected", pa.string()),
        ("explanation", pa.string()),
    ]
)


@dataclass(frozen=True)
class SpooledItems:
    """A whole file without a problem in it. `models` stand in the order of their codes."""

    rows: int
    models: Sequence[str]
    ignored_columns: tuple[str, ...]
    batches_path: Path
    # Keys of the media that they show.
    media: frozenset[int] = frozenset()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of ITEMS in the file's order."""
        with pa.OSFile(str(self.batches_path), "rb") as source, pa.ipc.open_stream(source) as reader:
            yield from reader


@dataclass(frozen=True)
class Peek:
    """The columns of a file with what their first rows hold, cut short."""

    samples: dict[str, list[str]]


@dataclass(frozen=True)
class Preview:
    """The first items that can be read, and what is wrong with the first rows."""

    items: list[ReadItem]
    problems: list[Problem]


@contextmanager
def spool_items(path: Path, columns: ItemColumns, reader: ItemReader, report: ReportFraction) -> Iterator[SpooledItems]:
    """Check a whole file before anything is written. Raises BrokenFile with the first hundred problems."""
    file = open_table(path, ItemShape(columns.read))
    problems = Problems(place=file.place, most=MOST_PROBLEMS)
    models: dict[str, int] = {}
    rows = 0
    with tempfile.TemporaryDirectory(prefix="cardinal-items-") as folder:
        batches_path = Path(folder) / "items.arrow"
        with pa.OSFile(str(batches_path), "wb") as sink, pa.ipc.new_stream(sink, ITEMS) as writer:
            for chunk in file.chunks(problems):
                items = list(_items(chunk, columns, reader, problems))
                rows += len(chunk)
                writer.write_batch(_batch(items, models))
                if len(models) > MOST_MODELS:
                    raise problems.refuse(f"the file names more than {MOST_MODELS} models: is another column meant?")
                report(file.fraction)
                if problems.full:
                    break
        problems.raise_if_any()
        if rows == 0:
            raise problems.refuse("the file has a header and no items")
        missing = sorted(columns.read - set(file.columns.known))
        if missing:
            raise problems.refuse(f"the file has no column {', '.join(show(name) for name in missing)}")
        yield SpooledItems(rows, list(models), file.columns.ignored, batches_path, reader.media_used)


def peek_columns(path: Path) -> Peek:
    """Raises BrokenFile where the file as a whole, its header, or its first row cannot be read."""
    shape = ItemShape()
    shape.chunk_rows = PEEKED
    file = open_table(path, shape)
    problems = Problems(place=file.place, most=1)
    chunk = next(iter(file.chunks(problems)), None)
    if chunk is None:
        problems.raise_if_any()
        raise problems.refuse("the file has a header and no items")
    return Peek({name: _samples(chunk, name) for name in file.columns.known})


def preview_items(path: Path, columns: ItemColumns, reader: ItemReader) -> Preview:
    """What the first rows are with these columns. Raises BrokenFile as `peek_columns` does."""
    shape = ItemShape(columns.read)
    shape.chunk_rows = PREVIEWED
    file = open_table(path, shape)
    problems = Problems(place=file.place, most=MOST_PROBLEMS)
    chunk = next(iter(file.chunks(problems)), None)
    items = [] if chunk is None else list(_items(chunk, columns, reader, problems))
    try:
        problems.raise_if_any()
    except BrokenFile as error:
        return Preview(items, error.problems)
    return Preview(items, [])


def _items(chunk: Chunk, columns: ItemColumns, reader: ItemReader, problems: Problems) -> Iterator[ReadItem]:
    """Rows that are wrong are named and left out: such a file is refused in the end."""
    read = {
        meaning: chunk.columns[column].to_pylist()
        for meaning, column in columns.by_meaning.items()
        if column in chunk.columns
    }
    reader.prepare(read)
    for place, line in enumerate(chunk.lines.tolist()):
        if problems.full:
            return
        row = {meaning: cells[place] for meaning, cells in read.items()}
        try:
            yield reader.read(row)
        except BadRow as error:
            for text in error.texts:
                problems.add(line, text)


def _batch(items: Sequence[ReadItem], models: dict[str, int]) -> pa.RecordBatch:
    columns: list[list[object]] = [
        [canonical_messages(item.conversation.prompt) for item in items],
        [[canonical_messages([message]) for message in item.conversation.follow_ups] for item in items],
        [[text for turns in item.conversation.turns for text in turns] for item in items],
        [
            [file or None for turns, file in zip(item.conversation.turns, item.files, strict=True) for _ in turns]
            for item in items
        ],
        [[models.setdefault(name, len(models)) if name else NOBODY for name in item.models] for item in items],
        *([getattr(item, name) for item in items] for name in ("prompt_key", "category", "language")),
        [array_literal(item.flags) for item in items],
        [array_literal(item.warnings) for item in items],
        *([getattr(item, name) for item in items] for name in ("purpose", "expected", "explanation")),
    ]
    return pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(columns, ITEMS, strict=True)], schema=ITEMS
    )


def _samples(chunk: Chunk, name: str) -> list[str]:
    column = chunk.columns.get(name)
    cells = [] if column is None else column.to_pylist()
    return [cell[:LONGEST_SAMPLE] for cell in cells if cell and cell.strip()][:3]
