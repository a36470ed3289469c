"""A Chromium for the tests: one that is there, else the system's package, else Playwright's own."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from config.launch.errors import LaunchError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Without a font the pages would be drawn empty.
AS_ROOT = (
    ("apt-get", [["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]]),
    ("dnf", [["install", "-y", "chromium", "dejavu-sans-fonts"]]),
    ("apk", [["add", "chromium", "font-dejavu"]]),
)


def find_browser() -> str | None:
    """CHROMIUM, or the first on PATH that really runs (Ubuntu's `chromium` may be a stub without its snap)."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else [*(shutil.which(name) for name in NAMES), *MAC]
    return next((found for found in candidates if found and runs([found, "--version"])), None)


def ensure_browser() -> str:
    """The path of a Chromium, installed if need be; a refusal tells what was tried."""
    found = find_browser()
    if found:
        return found
    if os.environ.get("CHROMIUM"):
        raise LaunchError(f"CHROMIUM names no browser that runs: {os.environ['CHROMIUM']}")
    tried = []
    for attempt in (install_with_system, install_with_playwright):
        tried.append(attempt())
        found = find_browser() or playwright_browser()
        if found:
            return found
    raise LaunchError(f"no Chromium could be installed ({'; '.join(tried)}): install one and set CHROMIUM to its path")


def install_with_system() -> str:
    if platform.system() == "Darwin":
        return "Homebrew" if runs(["brew", "install", "--cask", "chromium"]) else "no Homebrew"
    if os.geteuid() != 0:
        return "not root, so no system package"
    for program, steps in AS_ROOT:
        if shutil.which(program):
            for step in steps:
                runs([program, *step])
            return f"{program} has none"
    return "no known package manager"


def install_with_playwright() -> str:
    with_libraries = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
    runs([sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"])
    return "playwright install chromium did not work"


def playwright_browser() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() and runs([path, "--version"]) else None


def runs(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(list(command), capture_output=True, env=environment, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
