"""Every listed address, asked once by every role, for all tests that look at the answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings

from annotation.use_cases import undo_judgment
from tests.architecture.routes import ROLES, TABLE, Status, make_world


@dataclass(frozen=True)
class Answer:
    role: str
    pattern: str
    case: str
    listed: Status
    response: HttpResponse

    def __str__(self) -> str:
        return f"{self.case} {self.pattern} by {self.role}"


@pytest.fixture(scope="session")
def answers(django_db_setup, django_db_blocker, tmp_path_factory) -> list[Answer]:
    """In the order of the table, role by role; a POST is an empty form, and whatever it changed is taken back."""
    media = tmp_path_factory.mktemp("media")
    with (
        django_db_blocker.unblock(),
        override_settings(MEDIA_ROOT=media),
        transaction.atomic(),
        pytest.MonkeyPatch.context() as patch,
    ):
        # The pass takes minutes, and what the last role asks must not come too late for what the first one may do.
        patch.setattr(undo_judgment, "UNDO_WITHIN", timedelta(days=1))
        found = list(ask_everything())
        transaction.set_rollback(True)
    return found


def ask_everything() -> Iterator[Answer]:
    world = make_world()
    for role in ROLES:
        client = world.client(role)
        for pattern, cases in TABLE.items():
            for case, listed in cases.items():
                method, _, which = case.partition(" ")
                with transaction.atomic():
                    response = client.generic(method, world.address(pattern, role=role, which=which))
                    transaction.set_rollback(True)
                yield Answer(role, pattern, case, listed, kept(response))


def kept(response: HttpResponse) -> HttpResponse:
    """The answer without what the test's client hangs on it, and without files."""
    is_page = response.get("Content-Type", "").startswith("text/html")
    return HttpResponse(
        response.content if is_page else b"", status=response.status_code, headers=dict(response.headers)
    )
