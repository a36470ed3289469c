"""Files under their owner's key: read by nobody without it, and emptied when the key goes."""

from functools import partial

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import files
from accounts.errors import PersonErased
from accounts.files import OpenFile, read_personal_file, read_personal_files, write_personal_file
from accounts.models import Person, PersonalFile
from accounts.use_cases.erase_person import erase_person
from foundation.encryption import Unreadable
from tests.factories import make_person
from tests.foundation.threads import WAIT, Meanwhile, run_together

CONTENT = b"what is in it" * 40
# For whom no lock keeps out.
LONG = 25


def keep(person: Person) -> PersonalFile:
    with transaction.atomic():
        return write_personal_file(person=person, content=CONTENT, content_type="image/png", width=3, height=4)


@pytest.mark.django_db
def test_a_file_is_sealed_and_comes_back_as_it_was():
    kept = keep(make_person())
    assert (CONTENT[:20] in bytes(kept.sealed), kept.size) == (False, len(CONTENT))
    assert read_personal_file(kept.pk) == OpenFile(CONTENT, "image/png")


@pytest.mark.django_db
def test_what_is_moved_to_another_row_is_unreadable():
    person = make_person()
    kept, other = keep(person), keep(person)
    PersonalFile.objects.filter(pk=other.pk).update(sealed=kept.sealed)
    with pytest.raises(Unreadable):
        read_personal_file(other.pk)


@pytest.mark.django_db
def test_an_erased_persons_files_are_empty_and_they_can_keep_no_more():
    person, others = make_person(), make_person()
    kept, foreign = keep(person), keep(others)
    erase_person(person_id=person.pk, now=timezone.now())
    kept.refresh_from_db()
    assert bytes(kept.sealed) == b""
    assert read_personal_files([kept.pk, foreign.pk]) == {kept.pk: None, foreign.pk: OpenFile(CONTENT, "image/png")}
    with pytest.raises(PersonErased):
        keep(person)


def keep_while_erased(person: Person, monkeypatch, wait: float = WAIT) -> list[int]:
    """The file is about to be kept, and the key was read; then comes the erasure. The lengths of what is left."""
    meanwhile = Meanwhile(wait)
    monkeypatch.setattr(files, "key_of", meanwhile.after(files.key_of))
    erase = partial(erase_person, person_id=person.pk, now=timezone.now())
    kept, erased = run_together(partial(keep, person), partial(meanwhile.do, erase))
    assert (type(kept), type(erased)) == (PersonalFile, Person), (kept, erased)
    return [len(bytes(each.sealed)) for each in person.files.all()]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_comes_while_its_owner_is_erased_is_emptied(monkeypatch):
    assert keep_while_erased(make_person(), monkeypatch) == [0]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_it_is_left_full(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)
    (left,) = keep_while_erased(make_person(), monkeypatch, wait=LONG)
    assert left > len(CONTENT)
