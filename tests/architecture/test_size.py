"""Small enough to be read: past 40 lines a function, past 400 a file, one splits or says why."""

import ast

from tests.architecture.tree import Function, Module, functions, modules

LONGEST_FUNCTION = 40
LONGEST_FILE = 400

ACCEPTED = {
    "annotation/use_cases/publish_instrument.py publish_instrument": "one row after the other, each column named once",
    "annotation/use_cases/show_item.py show_item": "thirteen arguments and one row of twenty columns, named once each",
}


def written_here() -> list[Module]:
    return [module for module in modules() if "migrations" not in module.folders]


def too_long(module: Module) -> list[str]:
    lines = module.source.count("\n")
    found = [module.path] if lines > LONGEST_FILE else []
    return found + [f"{module.path} {each.name}" for each in functions(module.tree) if each.lines > LONGEST_FUNCTION]


def test_functions_and_files_are_small_or_say_why():
    assert sorted(name for module in written_here() for name in too_long(module)) == sorted(ACCEPTED)


def test_control_what_is_too_long_is_found():
    long = "def act():\n" + "    pass\n" * LONGEST_FUNCTION
    nested = "class View:\n    async def get(self):\n" + "        pass\n" * LONGEST_FUNCTION
    assert too_long(Module("arena/planted.py", long)) == ["arena/planted.py act"]
    assert too_long(Module("arena/planted.py", nested)) == ["arena/planted.py View.get"]
    assert too_long(Module("arena/planted.py", "\n" * (LONGEST_FILE + 1))) == ["arena/planted.py"]


def test_a_function_is_counted_without_its_decorators():
    (function,) = functions(ast.parse("@one\n@two\ndef act():\n    pass\n"))
    assert (function.name, function.lines, type(function)) == ("act", 2, Function)
