"""docs/settings.md lists every variable that the source reads from the environment, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "settings.md"
COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
COMPOSE_SECTION = "docker-compose.yml"
FORM = REPOSITORY / "config" / "deploy" / "env.example"
# What an installation in containers does not choose, and why.
NOT_PASSED = {
    "DEBUG": "never on a server",
    "DATABASE_APP_ROLE": "config/deploy/application-role.sh makes the default one",
    "CARDINAL_STATIC_ROOT": "a folder of the image, which its Dockerfile names",
    "OMP_NUM_THREADS": "GENERATION_THREADS says it",
    "OMP_WAIT_POLICY": "its default is right wherever cores are shared",
    "OPENBLAS_NUM_THREADS": "its default is right for several processes",
    "SCRIPTED_ENDPOINTS": "for tests",
}
PACKAGES = ("config", "arena", "annotation", "inference_workers", "accounts", "ranking", "foundation", "benchmarks")
# Passed on to programs that are started, as every program does.
PASSED_ON = {"PATH"}
READERS = {"str", "bool", "int", "float", "list", "db_url", "email_url", "url", "json"}
UNKNOWN = object()

ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| ([^|]*) \|", re.MULTILINE)
COMPOSED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::([-?])([^}]*))?\}")


def read_variables(source: str) -> Iterator[tuple[str, object]]:
    """Each variable that a module reads, with its default where that is written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of, verb = ast.unparse(node.func.value), node.func.attr
            if of == "env" and verb in READERS:
                yield literal(node.args[0]), default_of(node)
            elif of == "os.environ" and verb in {"get", "setdefault", "pop"}:
                yield literal(node.args[0]), default_of(node) if verb == "setdefault" else UNKNOWN
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            if isinstance(node.ctx, ast.Load):
                yield literal(node.slice), UNKNOWN
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            yield literal(node.left), UNKNOWN


def literal(node: ast.expr) -> str:
    """Empty for a name that is computed: its values are collected where they are written."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def default_of(call: ast.Call) -> object:
    written = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    written = written or next(iter(call.args[1:]), None)
    try:
        return UNKNOWN if written is None else ast.literal_eval(written)
    except ValueError:
        return UNKNOWN


def variables_of_the_source() -> dict[str, object]:
    found: dict[str, object] = {}
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            for name, default in read_variables(file.read_text()):
                if name and (name not in found or found[name] is UNKNOWN):
                    found[name] = default
    return {name: default for name, default in found.items() if name not in PASSED_ON}


def section(title: str) -> str:
    return next(part for part in REFERENCE.read_text().split("\n## ") if part.startswith(f"{title}\n"))


def listed(*, compose: bool) -> dict[str, str]:
    text = section(COMPOSE_SECTION) if compose else REFERENCE.read_text().replace(section(COMPOSE_SECTION), "")
    rows = ROW.findall(text)
    assert len(dict(rows)) == len(rows), "a variable is listed twice"
    return dict(rows)


def words(default: object) -> str:
    if isinstance(default, list):
        return ",".join(default) or "empty"
    if isinstance(default, bool):
        return str(default).lower()
    return {None: "not set", "": "empty"}.get(default, str(default))


def test_every_variable_that_is_read_is_in_the_reference_and_no_other():
    assert sorted(listed(compose=False)) == sorted(variables_of_the_source())


def test_defaults_in_the_reference_are_those_of_the_source():
    written = {name: words(default) for name, default in variables_of_the_source().items() if default is not UNKNOWN}

    assert {name: listed(compose=False)[name] for name in written} == written
    assert len(written) > 20


def test_the_reference_of_the_compose_file_has_its_variables_and_their_defaults():
    used = COMPOSED.findall(COMPOSE_FILE.read_text())
    defaults = {name: "required" if kind == "?" else words(default) for name, kind, default in used if kind}

    assert listed(compose=True) == defaults
    assert {name for name, *_ in used} == set(defaults)


def environments() -> dict[str, dict[str, str]]:
    """What each service that runs our image is given."""
    services = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
    return {name: each["environment"] for name, each in services.items() if "build" in each}


def test_compose_passes_every_setting_on_or_a_reason_is_given():
    read_by_us = {name for title in ("Application", "Production") for name, _ in ROW.findall(section(title))}
    passed = {name for each in environments().values() for name in each}

    assert sorted(read_by_us - passed) == sorted(NOT_PASSED)
    assert passed <= set(listed(compose=False))


def test_compose_passes_a_setting_on_under_its_own_name():
    for given in environments().values():
        chosen = {name: value for name, value in given.items() if value.startswith("${")}
        assert {name: COMPOSED.fullmatch(value)[1] for name, value in chosen.items()} == {name: name for name in chosen}


def test_the_form_of_the_compose_file_has_each_of_its_variables_once():
    lines = re.findall(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", FORM.read_text(), re.MULTILINE)
    shown = {name: "required" if not value and not commented else value or "empty" for commented, name, value in lines}

    assert len(shown) == len(lines)
    assert shown == listed(compose=True)


def test_a_variable_is_found_however_it_is_read():
    source = """
A = env.str("A_NAME", default="here")
B = env.list("B_NAME", default=[])
C = env.str("C_NAME", default=str(A))
D = os.environ.get("D_NAME") or os.environ["E_NAME"]
if "F_NAME" not in os.environ: os.environ.setdefault("G_NAME", "x")
os.environ["WRITTEN"] = "x"
os.environ[A] = os.environ[B]
"""
    assert sorted(read_variables(source), key=lambda found: found[0])[1:] == [
        ("A_NAME", "here"),
        ("B_NAME", []),
        ("C_NAME", UNKNOWN),
        ("D_NAME", UNKNOWN),
        ("E_NAME", UNKNOWN),
        ("F_NAME", UNKNOWN),
        ("G_NAME", "x"),
    ]
