"""The modules of the project as the architecture tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("config", "arena", "annotation", "inference_workers", "accounts", "ranking", "foundation")


@dataclass(frozen=True)
class Module:
    """`path` is relative to the repository, with slashes."""

    path: str
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @property
    def folders(self) -> set[str]:
        return set(self.path.split("/")[:-1])


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the packages that git would commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *(f"{name}/**.py" for name in PACKAGES)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = sorted({path for path in listed.stdout.split("\n") if path and (REPOSITORY / path).exists()})
    return tuple(Module(path, (REPOSITORY / path).read_text()) for path in paths)


@dataclass(frozen=True)
class Function:
    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1


def functions(tree: ast.AST, inside: str = "") -> Iterator[Function]:
    """Functions and methods under their dotted names."""
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        name = ".".join(part for part in (inside, node.name if named else "") if part)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(name, node)
        yield from functions(node, name)
