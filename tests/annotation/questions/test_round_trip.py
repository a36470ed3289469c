"""For every question type: an answer given in the form, the log's row, what ranking reads of it, and what leaves.

All of them are answered and exported once, with the sides as they are and swapped; each test looks at one.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.test import TransactionTestCase, override_settings

from annotation.questions import all_types
from tests.annotation.questions.cases import every_case
from tests.annotation.questions.round_trip import CHECKS, Trip, travel

# The mark is for the fixture: what it made is looked at without the database.
pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CASES = every_case()
# What every type and every mode of one is to be answered as.
WANTED = {
    f"{slug} {mode}".strip()
    for slug, kind in all_types().items()
    for mode in (kind.settings["mode"].options if "mode" in kind.settings else [""])
}


def covered(name: str) -> bool:
    return any(case == name or case.startswith(f"{name} ") for case in CASES)


# Types and modes that nobody wrote a case for are there, too, and fail by their name.
NAMES = [*CASES, *sorted(name for name in WANTED if not covered(name))]
every_type = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def trips(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[dict[str, list[Trip]]]:
    folder: Path = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder), pytest.MonkeyPatch.context() as patch:
        try:
            yield travel(CASES, patch)
        finally:
            TransactionTestCase()._fixture_teardown()


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
@every_type
def test_an_answer_on_its_way(trips, name, check):
    check(CASES[name], trips[name])


@pytest.mark.parametrize("slug", all_types())
def test_each_type_exports_exactly_the_columns_that_it_names(slug):
    kind = all_types()[slug]
    left_out = getattr(import_module(f"annotation.questions.{slug}.tests.cases"), "LEFT_OUT", None)
    assert kind.export_columns(left_out).keys() == kind.exports.keys()


def test_columns_of_one_name_are_of_one_kind():
    kinds = {
        (column, str(export.kind)): slug
        for slug, kind in all_types().items()
        for column, export in kind.exports.items()
    }
    assert len({column for column, _kind in kinds}) == len(kinds)
