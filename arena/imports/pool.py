"""Prompts of an arena's pool, from lines of text or a file. All of it or nothing; what is wrong is named by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotation.imports.cells import BadCell, read_label, tidy
from annotation.imports.formats import open_table
from annotation.imports.item_chats import read_prompt
from annotation.imports.item_columns import ItemShape, guess_meanings
from annotation.imports.problems import Problems, show
from annotation.imports.table_file import Chunk
from foundation.text import clean_text

# A pool is read whole with every draw.
MOST_PROMPTS = 10_000
SOURCES = ("source", "licence", "license", "origin")
LABELS = ("category", "language")
# As long as the columns that hold them.
LONGEST = {"category": 80, "language": 12, "source": 200}


@dataclass(frozen=True, slots=True)
class PoolText:
    """A prompt as it was given; labels that it does not say itself are empty."""

    text: str
    category: str = ""
    language: str = ""
    source: str = ""


def pool_of_lines(text: str, *, longest: int) -> list[PoolText]:
    """One in each line that is not empty. Raises BrokenFile."""
    problems = Problems()
    found: list[PoolText] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if clean_text(line).strip():
            try:
                found.append(PoolText(_checked(line, longest)))
            except BadCell as error:
                problems.add(number, str(error))
    return _whole(found, problems)


def pool_of_file(path: Path, *, longest: int) -> list[PoolText]:
    """From CSV, TSV, JSON lines or Parquet: the column that is called as prompts are, with category, language and
    source where there are such columns. Raises BrokenFile.
    """
    file = open_table(path, ItemShape())
    problems = Problems(place=file.place)
    found: list[PoolText] = []
    for chunk in file.chunks(problems):
        names = _columns(file.columns.known, problems)
        found += _of_chunk(chunk, names, problems, longest)
        if problems.full or len(found) > MOST_PROMPTS:
            break
    return _whole(found, problems)


def _columns(known: tuple[str, ...], problems: Problems) -> dict[str, str]:
    """The columns by what they mean."""
    names = {meaning: name for name, meaning in guess_meanings(known).items() if meaning in ("prompt", *LABELS)}
    source = next((name for name in known if name.strip().lower() in SOURCES), "")
    if source:
        names["source"] = source
    if "prompt" not in names:
        listed = ", ".join(show(name) for name in known[:20])
        raise problems.refuse(f"name the column of the prompts “prompt”; the file has {listed}")
    return names


def _of_chunk(chunk: Chunk, names: Mapping[str, str], problems: Problems, longest: int) -> Iterator[PoolText]:
    cells = {meaning: chunk.columns[name].to_pylist() for meaning, name in names.items() if name in chunk.columns}
    for place, line in enumerate(chunk.lines.tolist()):
        row = {meaning: values[place] for meaning, values in cells.items()}
        try:
            yield _given(names, row, longest)
        except BadCell as error:
            problems.add(line, str(error))


def _given(names: Mapping[str, str], row: Mapping[str, str | None], longest: int) -> PoolText:
    messages = read_prompt(names["prompt"], row.get("prompt") or "")
    if [message["role"] for message in messages] != ["user"]:
        raise BadCell(f"{show(names['prompt'])} is a chat: a prompt of the pool is one message of a user")
    labels = {meaning: read_label(meaning, tidy(row.get(meaning))) for meaning in LABELS}
    labels["source"] = tidy(row.get("source"))
    for meaning, label in labels.items():
        _refuse_long(meaning, label)
    return PoolText(_checked(messages[0]["content"], longest), **labels)


def _refuse_long(meaning: str, label: str) -> None:
    if len(label) > LONGEST[meaning]:
        raise BadCell(f"{meaning} has {len(label)} characters, more than {LONGEST[meaning]}")


def _checked(text: str, longest: int) -> str:
    cleaned = clean_text(text).strip()
    if not cleaned:
        raise BadCell("the prompt is empty")
    if len(cleaned) > longest:
        raise BadCell(f"the prompt has {len(cleaned):,} characters; the arena takes {longest:,}")
    return cleaned


def _whole(found: list[PoolText], problems: Problems) -> list[PoolText]:
    """Each text once, as it came first."""
    problems.raise_if_any()
    first: dict[str, PoolText] = {}
    for given in found:
        first.setdefault(given.text, given)
    if not first:
        raise problems.refuse("there is no prompt")
    if len(first) > MOST_PROMPTS:
        raise problems.refuse(f"there are more than {MOST_PROMPTS:,} prompts")
    return list(first.values())
