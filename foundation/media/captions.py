"""Captions of a film as WebVTT: text alone, known by its first words, with times that go somewhere."""

import re
from pathlib import Path

CONTENT_TYPE, SUFFIX = "text/vtt; charset=utf-8", ".vtt"
MOST_BYTES = 2_000_000
MARK = b"\xef\xbb\xbf"
START = re.compile(rb"WEBVTT(?:[ \t\r\n]|\Z)")
TIME = r"(?:([0-9]{2,4}):)?([0-5][0-9]):([0-5][0-9]\.[0-9]{3})"
CUE = re.compile(rf"^{TIME}[ \t]+-->[ \t]+{TIME}(?:[ \t]|$)")


def is_captions(head: bytes) -> bool:
    return START.match(head.removeprefix(MARK)) is not None


def check_captions(path: Path) -> None:
    """Raises ValueError with the reason."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"captions have at most {MOST_BYTES // 1_000_000} MB")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("captions are text in UTF-8; this is not") from error
    if "\0" in text:
        raise ValueError("captions are text; this holds bytes that are none")
    cues = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if "-->" in line]
    if not cues:
        raise ValueError("these captions hold no cue, such as 00:01.000 --> 00:04.000 with words below")
    for number, line in cues:
        found = CUE.match(line)
        if found is None or _seconds(*found.group(1, 2, 3)) >= _seconds(*found.group(4, 5, 6)):
            raise ValueError(f"line {number} of the captions has no time that ends after it begins")


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds)
