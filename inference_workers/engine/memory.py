"""How much memory a device has and has left, and what of it keys and values may take."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

# Of what is free; the rest is for what a forward pass needs besides, and for tables that grow by copying. A CPU's
# memory also serves the database and the pages beside the worker.
SHARES = {"cpu": 0.5, "mps": 0.7, "cuda": 0.85}
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes."""

    total: int
    free: int


class Cached(Protocol):
    """Something that holds keys and values: what it has taken, and what its running rows may come to take."""

    @property
    def allocated(self) -> int: ...

    @property
    def promised(self) -> int: ...


class CacheMemory:
    """What keys and values of all models of a device may take together.

    Asked anew whenever a row is about to start: what is free is measured, what was promised to rows that run and is not
    taken yet is subtracted. `most` bounds it from above; None leaves it to what is free.
    """

    def __init__(
        self,
        measure: Callable[[], Memory],
        *,
        share: float,
        most: int | None = None,
        holders: Callable[[], Iterable[Cached]] = tuple,
    ) -> None:
        self._measure = measure
        self._share = share
        self._most = most
        self._holders = holders

    @property
    def whole(self) -> int:
        """The most that one row could ever get."""
        total = int(self._measure().total * self._share)
        return total if self._most is None else min(self._most, total)

    def budget_of(self, asking: Cached) -> int:
        """What one of the holders may take in all, what it has already included."""
        others = [each for each in self._holders() if each is not asking]
        outstanding = sum(max(each.promised - each.allocated, 0) for each in others)
        left = int(self._measure().free * self._share) - outstanding
        budget = asking.allocated + max(left, 0)
        if self._most is None:
            return budget
        return min(budget, self._most - sum(max(each.promised, each.allocated) for each in others))


def measured(device: torch.device) -> Memory:
    """What a device has and has left at this moment."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        # What torch keeps for itself and does not use is free as well.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return Memory(total, free + kept)
    if device.type == "mps":
        total = int(torch.mps.recommended_max_memory())
        return Memory(total, max(total - int(torch.mps.current_allocated_memory()), 0))
    return machine_memory()


def release_unused(device: torch.device) -> None:
    """Give back what torch keeps of memory that nothing uses any more."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """torch has a class of its own for CUDA alone; CPU and Apple say it in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def machine_memory(root: Path = Path("/")) -> Memory:
    """Of the machine, or what control groups leave of it to this process. Where a system does not tell what is free,
    all of it counts as free."""
    told = _named_numbers(root / "proc/meminfo")
    total = told.get("MemTotal:", 0) * 1024 or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = told.get("MemAvailable:", 0) * 1024 or total
    for most, used in _limits(root):
        if most < total:
            total = most
        free = min(free, max(most - used, 0))
    return Memory(total, min(free, total))


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """The limit and the use of each control group around this process. Pages of files that were read once are given up
    when somebody needs the room."""
    for folder, most, used, cached in _groups(root):
        try:
            limit = int((folder / most).read_text())
            in_use = int((folder / used).read_text())
        except (OSError, ValueError):  # no group, or one without limit, which says "max"
            continue
        yield limit, max(in_use - _named_numbers(folder / "memory.stat").get(cached, 0), 0)


def _groups(root: Path) -> Iterator[tuple[Path, str, str, str]]:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    mounted = root / "sys/fs/cgroup"
    for line in lines or ["0::/"]:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            names, top = ("memory.max", "memory.current", "inactive_file"), mounted
        elif "memory" in controllers.split(","):
            names, top = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"), mounted / "memory"
        else:
            continue
        own = top / path.strip("/")
        for folder in (own, *own.parents):
            if folder == top or folder.is_relative_to(top):
                yield (folder, *names)


def _named_numbers(file: Path) -> dict[str, int]:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return {}
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) > 1 and parts[1].isdigit()}
