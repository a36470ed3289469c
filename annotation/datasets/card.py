"""The card of a dataset: a README in the layout that hubs read, with what one must know before training on it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from annotation.datasets.answers import answered_in, instruments_of, kind_in_words
from annotation.datasets.facts import Facts, cell
from annotation.datasets.folders import version_folder
from annotation.datasets.scope import LICENCES, ChosenBy, Scope
from annotation.datasets.shards import File
from annotation.datasets.splits import HELD_OUT
from annotation.datasets.views import ABOUT
from annotation.enums import DatasetView
from annotation.models import DatasetVersion, Instrument
from annotation.queries import instrument_questions
from annotation.questions import get_type

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
REASONS = {
    "tie": "as many votes for one response as for the other, an amount of 0, or two that are both ranked or rated best",
    "neither_acceptable": "most said that neither response was acceptable",
    "cannot_compare": "nobody could compare the two",
    "low_agreement": "fewer than the wanted share of the judgments said the same",
    "no_amount": "nobody said what the better response is worth",
    "no_text": "a response's text was not given, as in imports and simulations",
    "no_prompt": "the prompt was not given",
    "erased": "a text belonged to a person who was erased",
    "pictured": "a prompt was about a visitor's picture, and these are not handed out",
    "histories_differ": "the two sides had said different things before their last turn",
    "same_text": "both responses are the same text",
    "not_a_pair": "the item does not have two responses, and nobody ranked or rated several",
    "no_contestant": "a response belongs to nobody whom a board ranks",
    "withdrawn": "whoever judged it has withdrawn their consent",
    "not_fitted": "the fit has no common scale for the two contestants",
}


def write_card(
    path: Path, *, version: DatasetVersion, scope: Scope, facts: Facts, counts: dict[str, Any], files: Sequence[File]
) -> None:
    """Write the card. It holds no moment of building, so that the same version has the same card."""
    instruments = instruments_of(scope)
    has_votes = DatasetView.VOTES in version.views
    context = {
        "version": version,
        "campaign": scope.campaign,
        "title": json.dumps(f"{scope.campaign.name}, version {version.number}", ensure_ascii=False),
        "filters": scope.filters,
        "licence_name": LICENCES[scope.filters.licence],
        "by_amount": scope.filters.chosen_by == ChosenBy.NET_UTILITY,
        "facts": facts,
        "counts": counts,
        "size": next((name for limit, name in SIZES if facts.judgments < limit), "n>1M"),
        "views": [_view(name, counts["views"][name], files) for name in version.views],
        "held_out": HELD_OUT,
        "instruments": [_instrument(each) for each in instruments],
        "has_votes": has_votes,
        "answered": [(each, kind_in_words(each.export.kind)) for each in answered_in(instruments) if has_votes],
        "has_pairs": any(name != DatasetView.VOTES for name in version.views),
        "files_in_views": [file.name for file in files if file.name.endswith(".parquet")],
        "lines_of_first": next((file.name for file in files if file.name.endswith(".jsonl")), ""),
        "files": sorted(files, key=lambda file: file.name),
    }
    path.write_text(render_to_string("annotation/datasets/card.md", context), encoding="utf-8")


def read_card(version: DatasetVersion) -> str:
    """The card's Markdown without what is for machines and without the list of files; empty where they are gone."""
    path = version_folder(version) / "README.md"
    if not path.is_file():
        return ""
    return path.read_text(encoding="utf-8").split("---\n", 2)[-1].split("\n## Files\n")[0]


def _instrument(instrument: Instrument) -> dict[str, Any]:
    asked = instrument_questions(instrument.pk)
    rows = [(each.name, each.type, cell(each.title or str(get_type(each.type).title))) for each in asked]
    return {"number": instrument.number, "digest": instrument.digest, "questions": rows}


def _view(name: str, counted: dict[str, Any], files: Sequence[File]) -> dict[str, Any]:
    about = ABOUT[DatasetView(name)]
    return {
        "name": name,
        "summary": about.summary,
        "trainer": about.trainer,
        "rows": counted["rows"],
        "total": sum(counted["rows"].values()),
        "dropped": [(reason, REASONS[reason], count) for reason, count in counted["dropped"].items()],
        "splits": [(file.split, file.name) for file in files if file.view == name and file.name.endswith(".parquet")],
    }
