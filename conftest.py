"""What every test stands on: the application's database role, and options for real data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings

from tests.emptying import empty

pytest_plugins = ["tests.browser"]

# Wall times here swing threefold; a slow example is no counterexample.
hypothesis_settings.register_profile("cardinal", deadline=None)
hypothesis_settings.load_profile("cardinal")

# What `--quick` leaves out: all that waits for a browser or a language model, and whatever else takes seconds.
LONG = ("slow", "browser", "worker")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--real-data", metavar="DIR", help="run the tests on real preference sets in DIR")
    parser.addoption("--quick", action="store_true", help="leave out what is marked slow, browser or worker")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A control shows that its fault can happen; where by chance it did not, it has a second try, and both are told."""
    for item in items:
        if item.name.startswith("test_control"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    dropped = [item for item in items if is_left_out(item, config)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


def is_left_out(item: pytest.Item, config: pytest.Config) -> bool:
    wants_data = item.get_closest_marker("real_data") is not None
    too_slow = config.getoption("--quick") and any(item.get_closest_marker(name) for name in LONG)
    return too_slow or (wants_data and config.getoption("--real-data") is None)


@pytest.fixture(scope="session")
def real_data(request: pytest.FixtureRequest) -> Path:
    folder = Path(request.config.getoption("--real-data"))
    if not (folder / "reference.json").exists():
        pytest.fail(f"--real-data {folder}: no reference.json there")
    return folder


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Tables are made by the owner; tests act in the application's role, as production does."""
    options = connections["default"].settings_dict["OPTIONS"]
    plain = options["options"]
    with django_db_blocker.unblock():
        connection.close()
        options["options"] = f"{plain} -c role={settings.DATABASE_APP_ROLE}"
        yield
        connection.close()
        options["options"] = plain


@pytest.fixture(scope="session", autouse=True)
def flush_as_owner() -> Iterator[None]:
    """Between transactional tests every table is emptied, which the application's role may not do to the log."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: empty(lambda: flush(self))
    yield
    TransactionTestCase._fixture_teardown = flush
