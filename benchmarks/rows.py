"""One measured fact, and what is said of it in `goals.toml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# How a goal compares: its key in goals.toml, the value it looks at, and whether more is better.
GOALS = {
    "ratio_at_least": ("ratio", True),
    "ratio_at_most": ("ratio", False),
    "ours_at_least": ("ours", True),
    "ours_at_most": ("ours", False),
}


@dataclass(frozen=True)
class Row:
    """`ours` and `peer` are measured in `unit` in the same run; `peer` is None where there is nothing to compare.

    `note` is printed beside the ratio: over how many runs, and the interval. `not_run` says why a row could not be
    measured here; `ours` is None then.
    """

    name: str
    size: str
    ours: float | None
    unit: str
    peer: float | None = None
    note: str = ""
    not_run: str = ""

    def __post_init__(self) -> None:
        if (self.ours is None) != bool(self.not_run):
            raise ValueError(f"{self.name}, {self.size}: either a figure, or why it was not run")

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer and self.ours is not None else None


@dataclass(frozen=True)
class Result:
    """A row that was wanted, with its goal in words. `row` is None where the benchmark did not produce it."""

    name: str
    size: str
    goal: str
    ok: bool
    row: Row | None

    def as_json(self) -> dict[str, Any]:
        row = self.row
        note = {name: getattr(row, name) for name in ("note", "not_run") if row and getattr(row, name)}
        return note | {
            "name": self.name,
            "size": self.size,
            "ours": row.ours if row else None,
            "peer": row.peer if row else None,
            "ratio": row.ratio if row else None,
            "unit": row.unit if row else None,
            "goal": self.goal,
            "ok": self.ok,
        }


def compare(
    rows: Sequence[Row], wanted: Sequence[Mapping[str, Any]], *, quick: bool, real_data: bool = False
) -> list[Result]:
    """Every wanted row with its outcome, then the rows nobody set a goal for.

    Wanted rows with `quick = false` may be missing from a quick run, those with `real_data = true` from a run without.
    A row that was not run meets its goal only where the goal says `may_not_run = true`.
    Two rows of one name and size are refused: it would not be clear which one is meant.
    """
    measured: dict[tuple[str, str], Row] = {}
    for row in rows:
        if (row.name, row.size) in measured:
            raise ValueError(f"two rows are called {row.name}, {row.size}")
        measured[row.name, row.size] = row
    results = []
    for goal in wanted:
        key = (goal["name"], str(goal["size"]))
        found = measured.pop(key) if key in measured else None
        left_out = (quick and not goal.get("quick", True)) or (goal.get("real_data", False) and not real_data)
        if found is None and left_out:
            continue
        excused = found is not None and bool(found.not_run) and goal.get("may_not_run", False)
        results.append(Result(*key, words(goal), excused or (found is not None and reaches(found, goal)), found))
    return results + [Result(row.name, row.size, "", True, row) for row in measured.values()]


def reaches(row: Row, goal: Mapping[str, Any]) -> bool:
    return not row.not_run and all(meets(row, kind, limit) for kind, limit in limits(goal).items())


def meets(row: Row, kind: str, limit: float) -> bool:
    value_name, more_is_better = GOALS[kind]
    value = getattr(row, value_name)
    if value is None:
        return False
    return bool(value >= limit if more_is_better else value <= limit)


def limits(goal: Mapping[str, Any]) -> dict[str, float]:
    """Refuses a key of a goal that nobody would look at."""
    found = {
        key: value for key, value in goal.items() if key not in {"name", "size", "quick", "real_data", "may_not_run"}
    }
    unknown = found.keys() - GOALS.keys()
    if unknown:
        raise ValueError(f"goals.toml: {goal['name']}: unknown {', '.join(sorted(unknown))}")
    return found


def words(goal: Mapping[str, Any]) -> str:
    signs = {True: "≥", False: "≤"}
    return ", ".join(f"{GOALS[kind][0]} {signs[GOALS[kind][1]]} {limit:g}" for kind, limit in limits(goal).items())
