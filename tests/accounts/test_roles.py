"""Who may do what: roles are granted and taken away, by name, and the admin says who granted them."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from accounts.models import RoleGrant, User
from accounts.use_cases.grant_role import grant_role, revoke_role
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def grant(user: User, role: str, granted_by: User | None = None) -> RoleGrant:
    return grant_role(user=user, role=role, granted_by=granted_by, now=timezone.now())


def again(user: User) -> User:
    """As another request meets the user: what was read once is kept for one request."""
    return User.objects.get(pk=user.pk)


def test_a_user_has_the_roles_that_were_granted_and_no_others():
    user = make_user(role=Role.RESEARCHER)
    assert {role: user.has_role(role) for role in Role} == {role: role == Role.RESEARCHER for role in Role}
    assert user.has_role(Role.ANNOTATOR, Role.RESEARCHER)
    assert not user.has_role()


def test_a_superuser_has_every_role():
    user = make_user(is_superuser=True)
    assert {role: user.has_role(role) for role in Role} == dict.fromkeys(Role, True)


def test_asking_for_roles_again_is_one_query(django_assert_num_queries):
    user = again(make_user(role=Role.ANNOTATOR))
    with django_assert_num_queries(1):
        assert user.has_role(Role.ANNOTATOR)
        assert not user.has_role(Role.OPERATOR)


def test_granting_twice_is_one_grant_by_the_first_who_gave_it():
    user, first, second = make_user(), make_user(), make_user()
    assert grant(user, Role.REVIEWER, first) == grant(user, Role.REVIEWER, second)
    assert [(g.role, g.granted_by) for g in user.role_grants.all()] == [("reviewer", first)]


def test_a_role_is_taken_away_once():
    user = make_user(role=Role.REVIEWER)
    assert revoke_role(user=user, role=Role.REVIEWER, now=timezone.now())
    assert not revoke_role(user=user, role=Role.REVIEWER, now=timezone.now())
    assert not again(user).has_role(Role.REVIEWER)


@pytest.fixture
def admin() -> User:
    return make_user(is_staff=True, is_superuser=True)


def save_in_admin(admin: User, user: User, grants: list[dict[str, object]]) -> None:
    """Send the user's page of the admin with these rows of roles; `id` names one that is there."""
    browser = Client()
    browser.force_login(admin)
    existing = sum("id" in row for row in grants)
    data = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "role_grants-TOTAL_FORMS": len(grants),
        "role_grants-INITIAL_FORMS": existing,
    }
    for number, row in enumerate(grants):
        data |= {f"role_grants-{number}-{name}": value for name, value in ({"user": user.pk} | row).items()}
    response = browser.post(f"/admin/accounts/user/{user.pk}/change/", data)
    assert (response.status_code, response["Location"]) == (302, "/admin/accounts/user/")


def test_the_admin_grants_and_says_who_did(admin):
    user = make_user()
    save_in_admin(admin, user, [{"role": Role.RESEARCHER}, {"role": Role.ANNOTATOR}])
    found = sorted((g.role, g.granted_by) for g in user.role_grants.all())
    assert found == [("annotator", admin), ("researcher", admin)]


def test_the_admin_takes_a_role_away(admin):
    user = make_user()
    kept, dropped = grant(user, Role.RESEARCHER), grant(user, Role.ANNOTATOR)
    save_in_admin(admin, user, [{"id": kept.pk}, {"id": dropped.pk, "DELETE": "on"}])
    assert [(g.pk, g.role) for g in user.role_grants.all()] == [(kept.pk, "researcher")]


def test_the_admin_does_not_turn_one_role_into_another(admin):
    """Who granted the first did not grant the second."""
    user = make_user()
    granted = grant(user, Role.ANNOTATOR)
    save_in_admin(admin, user, [{"id": granted.pk, "role": Role.OPERATOR}])
    assert [(g.pk, g.role) for g in user.role_grants.all()] == [(granted.pk, "annotator")]
