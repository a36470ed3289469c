"""One place opens browsers. An open one keeps its thread inside an event loop: no test after it could run another."""

import asyncio
from pathlib import Path

import pytest

from tests.browser import CHROMIUM

TESTS = Path(__file__).resolve().parents[1]
IN_ONE_PROCESS = pytest.mark.xdist_group("browser-architecture")


def test_one_file_opens_browsers():
    opening = [file.name for file in TESTS.rglob("*.py") if "sync_playwright" + "()" in file.read_text()]
    assert opening == ["browser.py"]


@IN_ONE_PROCESS
@pytest.mark.browser
def test_control_nothing_asynchronous_runs_while_a_browser_is_open(chromium):
    assert chromium.is_connected()
    assert asyncio.get_running_loop().is_running()


@IN_ONE_PROCESS
def test_after_a_browser_test_the_next_one_has_its_thread_to_itself():
    assert CHROMIUM.browser is None
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
