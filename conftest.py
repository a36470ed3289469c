"""What every test stands on: the application's database role, and options for real data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connection, connections
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from servestatic.middleware import ServeStaticMiddleware

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

    def flush_beside_late_requests(self: TransactionTestCase) -> None:
        """A browser's last request, a draft that is saved as its page goes away, may hold what is being emptied."""
        for late in range(3):
            try:
                return flush(self)
            except CommandError as refused:
                cause = refused.__cause__
                if late == 2 or not isinstance(cause, OperationalError) or "deadlock detected" not in str(cause):
                    raise

    def flush_with_rights(self: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE; SET session_replication_role = replica")
        try:
            flush_beside_late_requests(self)
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"SET session_replication_role = origin; SET ROLE {settings.DATABASE_APP_ROLE}")

    TransactionTestCase._fixture_teardown = flush_with_rights
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once() -> Iterator[None]:
    """Each test's client builds the middleware anew, and with it the list of static files, which stays the same."""
    list_files, listed = ServeStaticMiddleware.add_files_from_finders, {}

    def list_once(self: ServeStaticMiddleware) -> None:
        if not listed:
            list_files(self)
            listed.update(self.files)
        self.files.update(listed)

    ServeStaticMiddleware.add_files_from_finders = list_once
    yield
    ServeStaticMiddleware.add_files_from_finders = list_files
