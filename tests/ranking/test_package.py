"""What the package promises to the rest of the house."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import ranking

FOLDER = Path(ranking.__file__).parent


def test_importing_it_brings_in_neither_django_nor_torch_nor_pandas():
    heavy = "{'django', 'torch', 'pandas', 'celery', 'transformers', 'sklearn', 'numba'}"
    code = f"import sys, ranking; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=FOLDER.parent, check=True)
    assert done.stdout.strip() == "[]"


def test_it_reads_no_clock_and_no_global_random_state():
    for path in sorted(FOLDER.rglob("*.py")):
        tree = ast.parse(path.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & {"time", "datetime", "random", "os"}, path.name
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "random"
        }
        assert used <= {"Generator", "PCG64"}, path.name


def test_every_public_name_is_exported_once_and_says_what_it_is():
    assert len(set(ranking.__all__)) == len(ranking.__all__)
    for name in ranking.__all__:
        value = getattr(ranking, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__.startswith("ranking."), name
            assert inspect.getdoc(value), name
