"""A browser that stays open keeps its thread inside an event loop: no test after it could open another."""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def scope_of(fixture: ast.FunctionDef) -> str:
    words = [word for each in fixture.decorator_list if isinstance(each, ast.Call) for word in each.keywords]
    return next((ast.literal_eval(word.value) for word in words if word.arg == "scope"), "function")


def test_no_browser_outlives_the_folder_of_its_tests():
    files = [file for file in TESTS.rglob("*.py") if "sync_playwright()" in file.read_text()]
    opening = {
        f"{file.relative_to(TESTS)} {node.name}": scope_of(node)
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and "sync_playwright()" in ast.unparse(node)
    }
    assert {name: scope for name, scope in opening.items() if scope == "session"} == {}
    assert opening["journeys/conftest.py browser"] == "package"
