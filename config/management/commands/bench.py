"""`manage.py bench NAME`: measures, compares with the goals, and fails where one is missed."""

import ast
import importlib
import inspect
import json
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.launch.folder import REPOSITORY
from config.launch.progress import Progress

FOLDER = REPOSITORY / "benchmarks"
HEADINGS = ("name", "size", "ours", "peer", "ratio", "goal", "")


def read_goals() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "goals.toml").read_text())


def benchmark_names() -> list[str]:
    """Every benchmark has goals; files without are what benchmarks share."""
    return sorted(read_goals())


def what_is_measured(name: str) -> str:
    """The first paragraph of the benchmark's own words, read without what the benchmark needs to run."""
    words = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text())) or ""
    return " ".join(words.split("\n\n")[0].split())


def all_benchmarks() -> str:
    return "\n".join(f"{name:<12}{what_is_measured(name)}" for name in benchmark_names())


class Command(BaseCommand):
    help = "Runs benchmarks/NAME.py and compares its rows with benchmarks/goals.toml."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", nargs="?", help="which one; without it, lists what there is")
        parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
        parser.add_argument("--json", metavar="FILE", type=Path, help="also write the rows to FILE")
        parser.add_argument(
            "--real-data", metavar="DIR", type=Path, help="with the rows on real data sets, found in DIR"
        )

    def handle(self, *args: Any, name: str | None, quick: bool, real_data: Path | None, **options: Any) -> None:
        from benchmarks.rows import compare

        if name is None:
            self.stdout.write(all_benchmarks())
            return
        if name not in benchmark_names():
            raise CommandError(f"there is no benchmark {name}: choose one of {', '.join(benchmark_names())}")
        goals = read_goals()
        run = importlib.import_module(f"benchmarks.{name}").run
        more = {} if real_data is None else {"real_data": real_data}
        if not more.keys() <= inspect.signature(run).parameters.keys():
            raise CommandError(f"{name} measures nothing on real data; leave --real-data out")
        if real_data is not None and not real_data.is_dir():
            raise CommandError(f"--real-data: there is no folder {real_data}")
        self.build_peers(name)
        with Progress().step(f"Measuring {name}", long=True):
            rows = run(quick=quick, **more)
        results = compare(rows, goals[name].get("rows", []), quick=quick, real_data=bool(more))
        self.print_table([result.as_json() for result in results])
        if options["json"]:
            options["json"].write_text(json.dumps([result.as_json() for result in results], indent=1) + "\n")
        missed = [f"{result.name} ({result.size})" for result in results if not result.ok]
        if missed:
            raise CommandError(
                f"{len(missed)} of {len(results)} rows are missing or miss their goal: {', '.join(missed)}"
            )

    def build_peers(self, name: str) -> None:
        from benchmarks.peers import peer_python, requirements_of

        if requirements_of(name).exists():
            with Progress().step("Peers", long=True):
                peer_python(name)

    def print_table(self, results: list[dict[str, Any]]) -> None:
        lines = [HEADINGS, *(cells(result) for result in results)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    unit = result["unit"] or ""
    outcome = "ok" if result["ok"] else "MISSED" if result["ours"] is not None else "MISSING"
    if "not_run" in result:
        outcome = f"{'' if result['ok'] else 'MISSED, '}not run: {result['not_run']}"
    return (
        result["name"],
        result["size"],
        f"{number(result['ours'])} {unit}".strip(),
        f"{number(result['peer'])} {unit}".strip() if result["peer"] is not None else "",
        f"{number(result['ratio'])} {result.get('note', '')}".strip(),
        result["goal"],
        outcome,
    )


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
