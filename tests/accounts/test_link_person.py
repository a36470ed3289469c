"""Links to one's own data: told once, kept as a digest, used once, and gone with the person."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.enums import LinkPurpose
from accounts.errors import PersonErased
from accounts.models import PersonLink
from accounts.use_cases import link_person as link_person_module
from accounts.use_cases.erase_person import erase_person
from accounts.use_cases.link_person import LIFE, NoSuchLink, link_person, open_link, use_link
from tests.factories import make_person
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db
ERASE, DATA = LinkPurpose.ERASE, LinkPurpose.DATA


def link(person, purpose=ERASE, now=None):
    return link_person(person_id=person.pk, purpose=purpose, now=now or timezone.now())


def stored_rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(l)::text FROM accounts_personlink l")
        return " ".join(row for (row,) in cursor.fetchall())


def test_a_link_leads_to_its_person_and_its_token_is_stored_nowhere():
    person, other = make_person(), make_person()
    token, _other_token = link(person), link(other)
    found = open_link(token=token, now=timezone.now())
    assert (found.person, found.purpose, found.used_at) == (person, ERASE, None)
    assert stored_rows() != ""
    assert token not in stored_rows()


def test_a_link_works_once():
    token = link(make_person(), DATA)
    assert open_link(token=token, now=timezone.now()) == use_link(token=token, now=timezone.now())
    for again in (open_link, use_link):
        with pytest.raises(NoSuchLink):
            again(token=token, now=timezone.now())


@pytest.mark.parametrize("purpose", list(LIFE))
def test_a_link_ends_when_its_time_is_over(purpose):
    now = timezone.now()
    token = link(make_person(), purpose, now)
    assert open_link(token=token, now=now + LIFE[purpose] - timedelta(seconds=1))
    with pytest.raises(NoSuchLink):
        use_link(token=token, now=now + LIFE[purpose])


def test_a_new_link_takes_the_place_of_the_one_before_and_of_no_other():
    person = make_person()
    first, data, another = link(person), link(person, DATA), link(make_person())
    second = link(person)
    with pytest.raises(NoSuchLink):
        open_link(token=first, now=timezone.now())
    assert all(open_link(token=each, now=timezone.now()) for each in (second, data, another))


@pytest.mark.parametrize("token", ["", "guessed", "x" * 5000, "a\x00b"])
def test_a_guessed_token_opens_nothing(token):
    link(make_person())
    with pytest.raises(NoSuchLink):
        open_link(token=token, now=timezone.now())


def test_erasing_takes_the_links_and_nobody_makes_another():
    person = make_person()
    tokens = [link(person), link(person, DATA)]
    erase_person(person_id=person.pk, now=timezone.now())
    assert PersonLink.objects.count() == 0
    for token in tokens:
        with pytest.raises(NoSuchLink):
            open_link(token=token, now=timezone.now())
    with pytest.raises(PersonErased):
        link(person)


def used_at_once(monkeypatch) -> list[object]:
    """Two who use one link, the second while the first has found it and not yet used it up."""
    token, save = link(make_person(), DATA), PersonLink.save

    def save_slowly(self: PersonLink, **how: object) -> None:
        time.sleep(0.5)
        save(self, **how)

    monkeypatch.setattr(PersonLink, "save", save_slowly)
    return run_together(*[lambda: use_link(token=token, now=timezone.now())] * 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_a_link_at_once_one_does(monkeypatch):
    assert sorted(type(each).__name__ for each in used_at_once(monkeypatch)) == ["NoSuchLink", "PersonLink"]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_both_do(monkeypatch):
    looked = link_person_module._open
    monkeypatch.setattr(link_person_module, "_open", lambda token, now, *, lock: looked(token, now, lock=False))
    assert [type(each).__name__ for each in used_at_once(monkeypatch)] == ["PersonLink", "PersonLink"]
