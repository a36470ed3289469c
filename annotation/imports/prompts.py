"""Prompts alone, to which language models write the responses: from lines of text, or from a column of a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotation.imports.cells import BadCell, read_label, tidy
from annotation.imports.formats import open_table
from annotation.imports.item_chats import read_prompt
from annotation.imports.item_columns import ItemShape, guess_meanings
from annotation.imports.messages import Message, canonical_messages
from annotation.imports.problems import BrokenFile, Problems, show
from annotation.imports.table_file import Chunk
from annotation.models import Campaign
from annotation.queries.generations import stored_prompts
from foundation.text import clean_text

MOST_PROMPTS = 100_000
# Longer ones no language model here could read.
LONGEST_PROMPT = 32_000
# Of all prompts together: they are held at once.
MOST_CHARACTERS = 50_000_000
# What travels with a prompt where a file has it.
LABELS = {"prompt_id": "prompt", "category": "category", "language": "language"}


@dataclass(frozen=True, slots=True)
class GivenPrompt:
    """`messages` are canonical JSON; `prompt` is the id where the prompt is stored already."""

    messages: str
    prompt_key: str = ""
    category: str = ""
    language: str = ""
    prompt: int | None = None


def prompts_of_lines(text: str) -> list[GivenPrompt]:
    """One in each line that is not empty. Raises BrokenFile, by line."""
    problems = Problems()
    found: list[GivenPrompt] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(GivenPrompt(_messages("prompt", line.strip())))
            except BadCell as error:
                problems.add(number, str(error))
    return _checked(found, problems)


def prompts_of_file(path: Path, column: str = "") -> list[GivenPrompt]:
    """Of the named column, or the one that is called as prompts are. Raises BrokenFile, by line."""
    file = open_table(path, ItemShape())
    problems = Problems(place=file.place)
    found: list[GivenPrompt] = []
    characters = 0
    for chunk in file.chunks(problems):
        names = _columns(file.columns.known, column, problems)
        read = list(_of_chunk(chunk, names, problems))
        found += read
        characters += sum(len(given.messages) for given in read)
        if characters > MOST_CHARACTERS:
            raise problems.refuse(f"the prompts have more than {MOST_CHARACTERS:,} characters together")
        if problems.full or len(found) > MOST_PROMPTS:
            break
    return _checked(found, problems)


def prompts_of_campaign(campaign: Campaign) -> list[GivenPrompt]:
    """Those that its items have, stored already; what people said themselves is left out. Raises BrokenFile."""
    problems = Problems()
    found = [
        GivenPrompt(
            canonical_messages(item.prompt.messages), item.prompt_key, item.category, item.language, item.prompt_id
        )
        for item in stored_prompts(campaign).select_related("prompt")
        if item.prompt is not None and item.prompt.messages
    ]
    return _checked(found, problems)


def _columns(known: tuple[str, ...], column: str, problems: Problems) -> dict[str, str]:
    """The columns by what they mean."""
    names = {meaning: name for name, meaning in guess_meanings(known).items() if meaning in (*LABELS, "system")}
    wanted = column.strip() or next(
        (name for name, meaning in guess_meanings(known).items() if meaning == "prompt"), ""
    )
    if wanted not in known:
        listed = ", ".join(show(name) for name in known[:20])
        raise problems.refuse(f"say which column holds the prompts; the file has {listed}")
    return {meaning: name for meaning, name in names.items() if name != wanted} | {"prompt": wanted}


def _of_chunk(chunk: Chunk, names: Mapping[str, str], problems: Problems) -> Iterator[GivenPrompt]:
    cells = {meaning: chunk.columns[name].to_pylist() for meaning, name in names.items() if name in chunk.columns}
    for place, line in enumerate(chunk.lines.tolist()):
        row = {meaning: values[place] for meaning, values in cells.items()}
        try:
            yield _given(names, row)
        except BadCell as error:
            problems.add(line, str(error))


def _given(names: Mapping[str, str], row: Mapping[str, str | None]) -> GivenPrompt:
    cell, system = row.get("prompt") or "", row.get("system") or ""
    if not clean_text(cell).strip():
        raise BadCell(f"{show(names['prompt'])} is empty")
    labels = {meaning: read_label(LABELS[meaning], tidy(row.get(meaning))) for meaning in LABELS}
    return GivenPrompt(
        messages=_messages(names["prompt"], cell, system),
        prompt_key=labels["prompt_id"],
        category=labels["category"],
        language=labels["language"],
    )


def _messages(name: str, cell: str, system: str = "") -> str:
    messages: list[Message] = read_prompt(name, cell)
    if clean_text(system).strip() and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": clean_text(system)}, *messages]
    length = sum(len(message["content"]) for message in messages)
    if length > LONGEST_PROMPT:
        raise BadCell(f"the prompt has {length:,} characters, more than {LONGEST_PROMPT:,}")
    return canonical_messages(messages)


def _checked(found: list[GivenPrompt], problems: Problems) -> list[GivenPrompt]:
    """Each prompt once: the same models would only answer it again."""
    problems.raise_if_any()
    first: dict[str, GivenPrompt] = {}
    for given in found:
        first.setdefault(given.messages, given)
    different = list(first.values())
    if not different:
        raise BrokenFile(problems.refuse("there is no prompt").problems)
    if len(different) > MOST_PROMPTS:
        raise problems.refuse(f"there are more than {MOST_PROMPTS:,} prompts")
    return different
