"""What `up`, `test` and `bench` take, and what pytest gets from it. Anything else is refused by name.

Standard library alone: manage.py asks here before it prepares anything, so siblings are imported relatively.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import LaunchError

HELP = """usage: manage.py test [LABEL ...] [options]

Checks, then every test: arithmetic, real PostgreSQL, broker and worker, browser.
LABEL is a path (tests/arena, tests/arena/test_x.py::test_y) or dotted (tests.arena.test_x.TestX.test_y).

  -k EXPRESSION    only tests whose names match
  -v               say each test's name (also -v 0 … -v 3)
  --failfast       stop at the first failure
  --keepdb         keep the test database and use it again; it needs DATABASE_URL
  --parallel N     in N processes (auto: one for each processor)
  --quick          without browsers, language models and other slow tests
  --real-data DIR  with the tests on real data sets, found in DIR"""
VERBOSITY = {"0": ["-q"], "1": [], "2": ["-v"], "3": ["-vv"]}

# Django's own, which every command of its has.
DJANGO = ("--settings", "--pythonpath", "-v", "--verbosity")
DJANGO_SWITCHES = ("--version", "--traceback", "--no-color", "--force-color", "--skip-checks", "-h", "--help")


def refuse_unknown(command: str, arguments: Sequence[str], repository: Path) -> bool:
    """Refuse what the command would refuse; True when it was only asked for help, which is then printed."""
    if command == "up":
        read_up_options(arguments)
    elif command == "bench":
        refuse_unknown_of_bench(arguments, repository)
    elif command == "test" and read_test_options(arguments, repository).help:
        print(HELP)
        return True
    return False


def read_up_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="manage.py up", description="Starts Cardinal: pages, streams, workers and the servers they need."
    )
    parser.add_argument("--port", type=int, default=8000, help="where the pages are served (default 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--no-demo", action="store_true", help="without demo people, models and judgments")
    return parser.parse_args(arguments)


def refuse_unknown_of_bench(arguments: Sequence[str], repository: Path) -> None:
    """Its own parser is Django's and comes with the packages; this one knows the same words."""
    parser = argparse.ArgumentParser(prog="manage.py bench", add_help=False, exit_on_error=False)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--json")
    parser.add_argument("--real-data")
    for switch in ("--quick", *DJANGO_SWITCHES):
        parser.add_argument(switch, action="store_true")
    for option in DJANGO:
        parser.add_argument(option)
    try:
        known, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise LaunchError(f"manage.py bench: {error}") from None
    if unknown:
        raise LaunchError(f"manage.py bench does not take {unknown[0]}; `manage.py bench --help` lists what it takes")
    if known.name is not None and not (repository / "benchmarks" / f"{known.name}.py").exists():
        raise LaunchError(f"there is no benchmark {known.name}; `manage.py bench --help` lists them")


@dataclass
class TestPlan:
    """`selected`: the person named tests, so the checks that look at everything are left out."""

    __test__ = False

    pytest: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parallel: str | None = None
    quick: bool = False
    selected: bool = False
    help: bool = False

    def arguments(self, processors: int) -> list[str]:
        """For pytest. Named tests run in one process unless asked otherwise: they start faster. All together get one
        process more than there are processors, because many wait for servers and browsers.
        """
        parallel = self.parallel or ("0" if self.selected else str(min(processors + 1, 8)))
        spread = ["-n", parallel, "--dist", "loadgroup"] if parallel not in {"0", "1"} else []
        quick = ["--quick"] if self.quick else []
        return [*self.labels, *self.pytest, *quick, *spread]


def read_test_options(arguments: Sequence[str], repository: Path) -> TestPlan:
    plan = TestPlan()
    rest = iter(split_values(arguments))
    for argument in rest:
        if not argument.startswith("-"):
            plan.labels.append(resolve_label(argument, repository))
            plan.selected = True
        else:
            read_option(plan, argument, rest)
    return plan


def split_values(arguments: Sequence[str]) -> list[str]:
    """`--name=value` as two words; `-v2` and `-kname` too, as both Django and pytest accept them."""
    words: list[str] = []
    for position, argument in enumerate(arguments):
        name, sign, value = argument.partition("=")
        if argument.startswith("--") and sign:
            words += [name, value]
        elif argument.startswith("-v") and argument[2:].isdigit():
            words += ["-v", argument[2:]]
        elif argument.startswith("-k") and len(argument) > 2:
            words += ["-k", argument[2:].removeprefix("=")]
        elif argument == "-v" and [*arguments, ""][position + 1] not in VERBOSITY:
            words += ["-v", "2"]
        elif argument.startswith("-vv") and set(argument) == {"-", "v"}:
            words += ["-v", "3"]
        else:
            words.append(argument)
    return words


def read_option(plan: TestPlan, option: str, rest: Iterator[str]) -> None:
    if option == "-k":
        plan.pytest += ["-k", value_of(option, rest)]
        plan.selected = True
    elif option in {"-v", "--verbosity"}:
        plan.pytest += VERBOSITY[one_of(option, rest, VERBOSITY)]
    elif option == "--failfast":
        plan.pytest.append("-x")
    elif option == "--keepdb":
        plan.pytest.append("--reuse-db")
    elif option == "--parallel":
        number = value_of(option, rest)
        if number != "auto" and not number.isdigit():
            raise LaunchError(f"manage.py test: --parallel takes a number or auto, not {number}")
        plan.parallel = number
    elif option == "--quick":
        plan.quick = True
    elif option == "--real-data":
        folder = Path(value_of(option, rest))
        if not folder.is_dir():
            raise LaunchError(f"manage.py test: --real-data: there is no folder {folder}")
        plan.pytest += ["--real-data", os.path.abspath(folder)]
    elif option in {"-h", "--help"}:
        plan.help = True
    else:
        raise LaunchError(f"manage.py test does not take {option}; `manage.py test --help` lists what it takes")


def value_of(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise LaunchError(f"manage.py test: {option} needs a value")
    return value


def one_of(option: str, rest: Iterator[str], allowed: dict[str, list[str]]) -> str:
    value = value_of(option, rest)
    if value not in allowed:
        raise LaunchError(f"manage.py test: {option} takes one of {', '.join(allowed)}, not {value}")
    return value


def resolve_label(label: str, repository: Path) -> str:
    """A path stays as it is; a dotted label becomes the file or folder it names and what follows inside it."""
    path = label.split("::")[0]
    if (repository / path).exists() or Path(path).is_absolute():
        if not (repository / path).exists():
            raise LaunchError(f"manage.py test: there is no {path}")
        return label
    parts = label.split(".")
    for prefix in ([], ["tests"]):
        for length in range(len(parts), 0, -1):
            place = Path(*prefix, *parts[:length])
            inside = parts[length:]
            if (repository / place).is_dir() and not inside:
                return str(place)
            if (repository / place).with_suffix(".py").is_file():
                return "::".join([str(place.with_suffix(".py")), *inside])
    raise LaunchError(f"manage.py test: there are no tests called {label}")
