"""From a frozen scope to a folder of files. Knows nothing of states and leases; `beat` is called again and again."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db.models import Count
from django.utils import translation

from annotation.boards import canonical_json, compute_standings, merged_contestants
from annotation.datasets.card import write_card
from annotation.datasets.facts import Facts, facts_of
from annotation.datasets.scope import Scope
from annotation.datasets.shards import File, Shards, describe, rows_digest
from annotation.datasets.views import FITTED_BY, Measures, measure, open_view
from annotation.datasets.withdrawn import left_out
from annotation.models import DatasetVersion

# Told which view is being written and how many of its rows have been.
Beat = Callable[[str, int], None]


@dataclass(frozen=True)
class Built:
    files: list[File]
    counts: dict[str, Any]
    rows_digest: str


# The card is in English, and is the same whatever language the process that builds it is in.
@translation.override("en")
def build_files(version: DatasetVersion, folder: Path, beat: Beat) -> Built:
    """Write the version's views, standings and card into an empty folder. The same version gives the same rows."""
    scope = Scope.of(version)
    beat("", 0)
    facts, measures = facts_of(scope), measure(scope, version.views)
    files: list[File] = []
    kept: dict[str, Any] = {}
    for name in version.views:
        view = open_view(name, scope, measures)
        with Shards(folder, name, view.schema) as shards:
            for page in view.pages():
                shards.write(page)
                beat(name, shards.rows.total())
        files += shards.files()
        kept[name] = {"rows": dict(shards.rows), "dropped": dict(sorted(view.dropped.items()))}
    files.append(_write_standings(scope, folder))
    counts = {"views": kept, **_counts(scope, facts, measures)}
    digest = rows_digest(files)
    write_card(folder / "README.md", version=version, scope=scope, facts=facts, counts=counts, files=files)
    return Built([describe(folder / "README.md"), *files], counts, digest)


def _write_standings(scope: Scope, folder: Path) -> File:
    """The leaderboard of exactly these judgments."""
    standings = compute_standings(
        scope.judgments(),
        method=FITTED_BY,
        seed=int.from_bytes(sha256(f"{scope.campaign.pk} {scope.last_sequence}".encode()).digest()[:8], "big"),
        merged=merged_contestants(),
    )
    path = folder / "leaderboard.json"
    path.write_text(canonical_json(standings) + "\n")
    return describe(path)


def _counts(scope: Scope, facts: Facts, measures: Measures) -> dict[str, Any]:
    withdrawn = {"judgments": Count("pk"), "respondents": Count("respondent", distinct=True)}
    return {
        "judgments": facts.judgments,
        "items": facts.items,
        "respondents": facts.respondents,
        "simulated": facts.simulated,
        "withdrawn": left_out(scope).aggregate(**withdrawn),
        "margin_divisor": measures.divisor,
        "fit": measures.fit.covariance if measures.fit else None,
    }
