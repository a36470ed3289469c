"""What is wrong with a file, line by line, so that it can be mended in one go."""

from dataclasses import dataclass

from annotation.errors import AnnotationError

MOST_NAMED = 20
LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """`line` is the file's line, or the row of a Parquet file; 0 where the problem is the whole file's."""

    line: int
    text: str


class BrokenFile(AnnotationError):
    """The file cannot be imported as it is. Nothing of it is kept; `problems` names at most `most`."""

    def __init__(
        self, problems: list[Problem], *, place: str = "line", more: bool = False, most: int = MOST_NAMED
    ) -> None:
        self.problems = problems
        self.more = more
        lines = [f"{place} {each.line}: {each.text}" if each.line else each.text for each in problems]
        if more:
            lines.append(f"and more: only the first {most} are named")
        super().__init__("\n".join(lines))


class Problems:
    """Collects problems in the order of the file's chunks; `full` says that reading on would name no more."""

    def __init__(self, *, place: str = "line", most: int = MOST_NAMED) -> None:
        self.place = place
        self._most = most
        self._found: list[Problem] = []
        self._more = False

    @property
    def full(self) -> bool:
        return self._more

    def add(self, line: int, text: str) -> None:
        if len(self._found) < self._most:
            self._found.append(Problem(line, text))
        else:
            self._more = True

    def refuse(self, text: str) -> BrokenFile:
        """The error for a problem of the whole file, after which there is nothing left to read."""
        return BrokenFile(
            [*self._found, Problem(0, text)][: self._most], place=self.place, more=self._more, most=self._most
        )

    def raise_if_any(self) -> None:
        if self._found:
            in_order = sorted(self._found, key=lambda each: each.line)
            raise BrokenFile(in_order, place=self.place, more=self._more, most=self._most)


def show(value: object) -> str:
    """A value from the file as a message may quote it: short, on one line."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
