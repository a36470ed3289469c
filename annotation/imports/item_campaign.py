"""What a campaign asks of its items, and whether columns can be meant so."""

from collections.abc import Collection

from annotation.imports.item_columns import FILES, FLAG, MEANINGS, RESPONSES, ItemColumns
from annotation.imports.item_expectations import Expectations
from annotation.imports.item_media import NamedMedia
from annotation.imports.item_reader import ItemReader
from annotation.imports.problems import show
from annotation.imports.schema import FLAG_PREFIX, LONGEST_FLAG, flag_name
from annotation.models import Campaign
from annotation.policies.drafts import QUESTIONS, all_as_asked, section_content


def item_reader(campaign: Campaign, columns: ItemColumns) -> ItemReader:
    """Expectations are checked against the questions as the campaign's editor holds them."""
    expectations = Expectations(all_as_asked(section_content(campaign, QUESTIONS)))
    return ItemReader(
        columns,
        responses=campaign.responses_per_item,
        expectations=expectations,
        warned=campaign.warned_content,
        media=NamedMedia(campaign.pk),
    )


def columns_by_meaning(meanings: dict[str, str], default_purpose: str) -> ItemColumns:
    """From the meaning of each column that has one. A flag is named as its column is, without `cat_`."""
    columns = {}
    for column, meaning in meanings.items():
        key = f"{FLAG_PREFIX}{column.removeprefix(FLAG_PREFIX).strip()}" if meaning == FLAG else meaning
        columns[key] = column
    return ItemColumns(columns, default_purpose)


def meanings_by_column(columns: ItemColumns) -> dict[str, str]:
    return {
        column: FLAG if meaning.startswith(FLAG_PREFIX) else meaning for meaning, column in columns.by_meaning.items()
    }


def wrong_columns(columns: ItemColumns, *, known: Collection[str], responses: int) -> list[str]:
    """Why a file cannot be read with these columns, whatever is in it; nothing where it can."""
    problems = [f"the file has no column {show(name)}" for name in sorted(columns.read - set(known))]
    strange = [name for name in columns.by_meaning if name not in MEANINGS and not name.startswith(FLAG_PREFIX)]
    problems += [f"no column can mean {show(name)}" for name in strange]
    if len(columns.read) < len(columns.by_meaning):
        problems.append("one column has two meanings")
    sides = zip(RESPONSES[:responses], FILES, strict=False)
    missing = [name for name, file in sides if not {name, file} & set(columns.by_meaning)]
    if missing:
        problems.append(f"an item of this campaign has {responses} responses: say which column is {', '.join(missing)}")
    for meaning in columns.flags:
        if not 0 < len(flag_name(meaning)) <= LONGEST_FLAG:
            problems.append(f"the column {show(columns.by_meaning[meaning])} is no name for a flag")
    return problems
