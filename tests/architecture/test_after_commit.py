"""What runs after a commit is a hint: it never reaches the caller, whose work is written already."""

import ast
from functools import partial

import pytest
from django.db import transaction

from tests.architecture.tree import modules


def hooks() -> list[tuple[str, ast.Call]]:
    return [
        (f"{module.path}:{node.lineno}", node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "on_commit"
    ]


def is_harmless(hook: ast.Call) -> bool:
    """Robust, and a function written in place: where one fails, Django logs its name, which a partial has not."""
    robust = any(word.arg == "robust" and ast.unparse(word.value) == "True" for word in hook.keywords)
    return robust and isinstance(hook.args[0], ast.Lambda)


def test_hooks_are_robust_and_have_a_name_to_be_logged():
    found = hooks()
    assert [place for place, hook in found if not is_harmless(hook)] == []
    assert len(found) >= 5


def fail() -> None:
    raise ConnectionError("Redis is down")


@pytest.mark.django_db(transaction=True)
def test_a_hook_that_fails_does_not_reach_the_caller():
    with transaction.atomic():
        transaction.on_commit(lambda: fail(), robust=True)


@pytest.mark.django_db(transaction=True)
def test_control_a_partial_that_fails_reaches_the_caller_although_it_is_robust():
    with pytest.raises(AttributeError, match="__qualname__"), transaction.atomic():
        transaction.on_commit(partial(fail), robust=True)
