"""Where the steps of a response begin and end. The same text always has the same steps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Stored with each answer: other rules are another segmentation.
SEGMENTATION = 1
MOST_STEPS = 200
# "2.", "(2)", "2:", "Step 2", also as a heading or in bold; not the 3 of "3.14".
NUMBERED = re.compile(r"[ \t]*[#*_ \t]*(?:\(?\d{1,3}[.):]|step[ \t]+\d{1,3}\b[.):]?)(?=[\s*_]|$)", re.IGNORECASE)
FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})")


@dataclass(frozen=True)
class Step:
    """Code points of the stored text, `end` not among them."""

    start: int
    end: int


def segment(text: str) -> list[Step]:
    """At least one step for any text, in order and without overlap; only blank space lies between two.

    A step begins after a blank line and at a numbered line. Fenced code is never cut. Beyond MOST_STEPS the last one
    takes all that is left.
    """
    starts = list(_starts(text))[:MOST_STEPS]
    if not starts:
        return [Step(0, len(text))]
    ends = [*starts[1:], len(text)]
    return [Step(start, start + len(text[start:end].rstrip())) for start, end in zip(starts, ends, strict=True)]


def _starts(text: str) -> Iterator[int]:
    begin, fence, after_blank = 0, "", True
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if not fence and not line.strip():
            after_blank = True
        else:
            if after_blank or (not fence and NUMBERED.match(line)):
                yield begin
            after_blank = False
        if mark and not fence:
            fence = mark["mark"]
        elif mark and mark["mark"].startswith(fence) and not line[mark.end() :].strip():
            fence = ""
        begin += len(line) + 1
