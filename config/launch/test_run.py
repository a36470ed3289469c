"""`manage.py test`: the checks, a browser, then pytest over everything."""

import os
import sys
import time
from collections.abc import Sequence

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
    command = [sys.executable, "-m", "pytest", f"--rootdir={REPOSITORY}"]
    status = run_in_foreground([*command, *plan.arguments(os.cpu_count() or 1)], directory=REPOSITORY)
    progress.line(f"Finished after {time.monotonic() - begun:.0f} s.")
    return status


def find_browser_for(plan: TestPlan, progress: Progress) -> None:
    """Everything needs a browser; of named tests only some do, and those will say so themselves."""
    try:
        with progress.step("Browser"):
            os.environ["CHROMIUM"] = ensure_browser()
    except LaunchError:
        if not plan.selected:
            raise
