"""`manage.py test`: the checks, a browser, then pytest over everything."""

import os
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from config.launch.browser import ensure_browser
from config.launch.errors import LaunchError
from config.launch.folder import REPOSITORY
from config.launch.options import HELP, TestPlan, read_test_options
from config.launch.processes import run_in_foreground
from config.launch.progress import Progress

__test__ = False


def run_tests(arguments: Sequence[str]) -> int:
    plan = read_test_options(arguments, REPOSITORY)
    if plan.help:
        print(HELP)
        return 0
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    os.environ["CARDINAL_NO_VENV"] = "1"
    begun = time.monotonic()
    progress = Progress()
    find_browser_for(plan, progress)
    if not plan.selected:
        progress.line(progress.bold("Checks"))
        if run_in_foreground([sys.executable, str(REPOSITORY / "manage.py"), "check_all"]) != 0:
            return 1
    progress.line(progress.bold("Tests"))
    with tempfile.TemporaryDirectory(prefix="cardinal-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", f"--rootdir={REPOSITORY}"]
        status = run_in_foreground([*command, *plan.arguments(os.cpu_count() or 1)], directory=REPOSITORY)
        if report.exists():
            progress.line(f"{count(report)} in {time.monotonic() - begun:.0f} s, checks included")
    return status


def find_browser_for(plan: TestPlan, progress: Progress) -> None:
    """Everything needs a browser; of named tests only some do, and those will say so themselves."""
    try:
        with progress.step("Browser"):
            os.environ["CHROMIUM"] = ensure_browser()
    except LaunchError:
        if not plan.selected:
            raise


def count(report: Path) -> str:
    """How many tests there were and how they ended, from pytest's own report."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314  (pytest has just written it)
    names = ("tests", "failures", "errors", "skipped")
    numbers = dict.fromkeys(names, 0)
    for suite in suites:
        for name in names:
            numbers[name] += int(suite.get(name, "0"))
    passed = numbers["tests"] - numbers["failures"] - numbers["errors"] - numbers["skipped"]
    others = [f"{numbers[name]} {name}" for name in names[1:] if numbers[name]]
    return f"{numbers['tests']} tests: " + ", ".join([f"{passed} passed", *others])
