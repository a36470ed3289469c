"""Files of items for tests, and what is read out of them."""

from pathlib import Path

from annotation.imports.item_campaign import columns_by_meaning
from annotation.imports.item_columns import ItemColumns, guess_meanings
from annotation.imports.item_expectations import Expectations
from annotation.imports.item_reader import ItemReader
from annotation.imports.item_spool import peek_columns, spool_items
from annotation.imports.problems import BrokenFile
from annotation.questions import Asked

ASKED = [
    Asked("better", "preference"),
    Asked("fine", "acceptable", required=False),
    Asked("why", "rationale", required=False),
]
EVERYTHING = (
    "prompt,system,prompt_id,chosen,rejected,model_a,model_b,category,lang,cat_math,cat_code,purpose,expected,note\n"
    '"What is 2+2?",Be brief.,q1,Four.,"Five, ""maybe"".",gpt,llama,sums,en,true,0,,,x\n'
    "What is 3+3?,,q2,Six.,Seven.,gpt,,,,,,gold,A,\n"
)


def guessed(path: Path, **changed: str) -> ItemColumns:
    """What the page proposes, with columns changed: `column="meaning"`; no meaning leaves a column out."""
    meanings = {**guess_meanings(list(peek_columns(path).samples)), **changed}
    return columns_by_meaning({column: meaning for column, meaning in meanings.items() if meaning}, "work")


WARNED = ["Injuries and blood", "Insults"]


def reader_of(columns: ItemColumns, *, responses: int = 2, asked: list[Asked] = ASKED) -> ItemReader:
    return ItemReader(columns, responses=responses, expectations=Expectations(asked), warned=WARNED)


def read(path: Path, *, responses: int = 2, **changed: str) -> list[dict[str, object]]:
    """Every item as it is kept; what is empty is left out."""
    columns = guessed(path, **changed)
    with spool_items(path, columns, reader_of(columns, responses=responses), lambda done: None) as spooled:
        items = [row for batch in spooled.batches() for row in batch.to_pylist()]
    for item in items:
        item["models"] = [spooled.models[code] if code >= 0 else "" for code in item["models"]]
        item["models"] = item["models"] if any(item["models"]) else None
        item["files"] = item["files"] if any(item["files"]) else None
        for name in ("flags", "warnings"):
            item[name] = None if item[name] == "{}" else item[name]
    return [{name: value for name, value in item.items() if value} for item in items]


def problems_of(path: Path, *, responses: int = 2, **changed: str) -> str:
    """The refusal's whole text; the file must be refused."""
    try:
        read(path, responses=responses, **changed)
    except BrokenFile as error:
        return str(error)
    raise AssertionError(f"{path.name} was not refused")
