"""The demo's logins: random passwords, told once."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.use_cases.make_demo_logins import DemoLogin, make_demo_logins

pytestmark = pytest.mark.django_db


def make(*, reset: bool = False) -> list[DemoLogin]:
    return make_demo_logins(reset=reset, now=timezone.now())


def signs_in(login: str, password: str) -> bool:
    return authenticate(RequestFactory().post("/account/login/"), username=login, password=password) is not None


def test_where_there_are_no_demo_logins_none_gets_a_new_password():
    with pytest.raises(CommandError, match="there are no demo logins here"):
        call_command("demo_logins", "--reset")
    assert not User.objects.exists()


def test_one_login_for_each_kind_of_user_and_only_the_admin_is_staff():
    logins = make()
    users = {user.username: user for user in User.objects.all()}
    assert [(login.username, login.role) for login in logins] == [
        ("annotator", "annotator"),
        ("reviewer", "reviewer"),
        ("researcher", "researcher"),
        ("admin", "operator"),
    ]
    assert {name: (user.is_staff, user.is_superuser, user.role_names) for name, user in users.items()} == {
        "annotator": (False, False, {"annotator"}),
        "reviewer": (False, False, {"reviewer"}),
        "researcher": (False, False, {"researcher"}),
        "admin": (True, True, {"operator"}),
    }


def test_each_password_works_is_random_and_not_another_ones():
    logins = make()
    assert all(signs_in(login.username, login.password) for login in logins)
    assert not signs_in("annotator", logins[1].password)
    assert len({login.password for login in logins}) == 4
    assert all(len(login.password) >= 16 for login in logins)


def test_making_them_again_tells_no_password_and_changes_none():
    first = make()
    assert [login.password for login in make()] == [None] * 4
    assert all(signs_in(login.username, login.password) for login in first)
    assert User.objects.count() == 4


def test_a_reset_makes_new_passwords_and_the_old_ones_stop_working():
    first, second = make(), make(reset=True)
    assert all(signs_in(login.username, login.password) for login in second)
    assert not any(signs_in(login.username, login.password) for login in first)
    assert User.objects.count() == 4


def test_the_command_prints_what_was_made_and_never_an_old_password():
    def printed(*arguments: str) -> dict[str, str]:
        out = StringIO()
        call_command("demo_logins", *arguments, stdout=out)
        return dict(line.split(None, 1) for line in out.getvalue().splitlines())

    first, second, third = printed(), printed(), printed("--reset")
    assert list(first) == list(second) == list(third) == ["annotator", "reviewer", "researcher", "admin"]
    assert signs_in("researcher", third["researcher"])
    assert set(second.values()) == {"(set earlier; demo_logins --reset makes a new one)"}
    assert not any(signs_in(name, password) for name, password in first.items())
