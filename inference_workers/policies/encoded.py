"""Names written in base64."""

import base64
import binascii
import re
import string
from collections.abc import Iterable

from inference_workers.policies.lookalikes import fold

# Four letters make six characters of it, before the padding.
# Words of a language show within as many that they are none.
UNDECIDED = 8
# A longer run is given out but for an end that may hold the beginning of a name.
LONGEST = 400
KEPT = 80
NAME_FROM = 4

ALPHABET = string.ascii_letters + string.digits + "+/-_"
RUN = re.compile(r"[A-Za-z0-9+/_-]{6,}")
# Letters after each other in an encoded text mix cases or hold digits; in words only the first is a capital.
MIXED = re.compile(r"[A-Za-z0-9+/_-]*(?:[A-Za-z+/_-][0-9]|[0-9][A-Za-z]|[A-Za-z][A-Z][A-Z]*[a-z]|[a-z][A-Z])")
PLAIN = str.maketrans("-_", "+/")


def says_encoded(run: str, names: Iterable[str]) -> bool:
    """Whether one of the folded names stands in what the run says, wherever in the run its encoding begins."""
    if not MIXED.match(run):
        return False
    names = [name for name in names if len(name) >= NAME_FROM]
    return any(name in said for said in _decoded(run) for name in names)


def open_run(text: str) -> int:
    """Where the run begins that the end of `text` may go on with; the text's length where there is none."""
    start = len(text.rstrip(ALPHABET))
    run = text[start:]
    if len(run) >= UNDECIDED and not MIXED.match(run):
        return len(text)
    return max(start, len(text) - KEPT) if len(run) > LONGEST else start


def _decoded(run: str) -> Iterable[str]:
    plain = run.translate(PLAIN)
    for start in range(4):
        part = plain[start:]
        part += "A" * (-len(part) % 4)
        try:
            raw = base64.b64decode(part, validate=True)
        except (binascii.Error, ValueError):
            continue
        yield "".join(map(fold, raw.decode("utf-8", "replace")))
        yield "".join(map(fold, raw.replace(b"\0", b"").decode("latin-1")))
