"""The person behind a user or a browser: one each, also when two requests need it at once."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_user, person_of_visitor, visitor_digest
from tests.factories import make_user
from tests.foundation.threads import run_together


def visitor(token: str = "a-visitors-cookie") -> Person:
    return person_of_visitor(token=token, now=timezone.now())


@pytest.mark.django_db
def test_a_visitor_is_one_person_and_the_database_cannot_tell_the_cookie():
    person = visitor()
    assert visitor() == person
    assert (person.kind, person.user, person.visitor_digest) == ("visitor", None, visitor_digest("a-visitors-cookie"))
    assert "cookie" not in person.visitor_digest
    assert len(bytes(person.wrapped_key)) > 32
    assert visitor("another-cookie") != person


@pytest.mark.django_db
def test_a_user_is_one_person():
    user = make_user()
    person = person_of_user(user=user, now=timezone.now())
    assert person_of_user(user=user, now=timezone.now()) == person
    assert (person.kind, person.user, person.visitor_digest) == ("user", user, None)


@pytest.mark.django_db
def test_two_persons_have_two_keys():
    one, other = visitor("first-cookie"), visitor("second-cookie")
    assert bytes(one.wrapped_key) != bytes(other.wrapped_key)


def at_once(monkeypatch, count: int = 4) -> list[Person | Exception]:
    """So many first requests of one browser, each of which has looked for the person before any of them writes."""
    all_looked = threading.Barrier(count)
    save = Person.save

    def save_when_all_looked(self: Person, **how: object) -> None:
        all_looked.wait(10)
        save(self, **how)

    monkeypatch.setattr(Person, "save", save_when_all_looked)
    return run_together(*[visitor] * count)


@pytest.mark.django_db(transaction=True)
def test_requests_that_need_the_person_at_once_get_the_same_one(monkeypatch):
    people = at_once(monkeypatch)
    assert len({person.pk for person in people}) == 1
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_unique_cookie_requests_at_once_make_a_person_each(monkeypatch):
    run_as_owner("ALTER TABLE accounts_person DROP CONSTRAINT accounts_person_visitor_digest_key")
    try:
        people = at_once(monkeypatch)
        assert len({person.pk for person in people}) == len(people) == 4
    finally:
        run_as_owner("DELETE FROM accounts_person")
        run_as_owner("ALTER TABLE accounts_person ADD UNIQUE (visitor_digest)")


def run_as_owner(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)
