"""Free text is sealed under its author's key: unreadable in the tables, elsewhere, and after the key is gone."""

import pytest
from django.utils import timezone

from accounts import texts
from accounts.errors import PersonErased
from accounts.models import PersonalText
from accounts.texts import read_personal_text, read_personal_texts, write_personal_text
from accounts.use_cases.erase_person import erase_person
from foundation.encryption import Unreadable
from tests.factories import make_person

pytestmark = pytest.mark.django_db

SAID = "Schwester Änne says: naïve 🜁, and a line\nmore."


def test_a_text_is_read_as_it_was_written_and_its_row_does_not_hold_it():
    text = write_personal_text(person=make_person(), text=SAID)
    sealed = bytes(PersonalText.objects.get(pk=text.pk).sealed)
    assert read_personal_text(text.pk) == SAID
    assert b"Schwester" not in sealed
    assert len(sealed) == 1 + 12 + len(SAID.encode()) + 16


def test_the_same_text_twice_is_sealed_differently():
    person = make_person()
    one, other = (write_personal_text(person=person, text=SAID) for _ in range(2))
    assert bytes(one.sealed) != bytes(other.sealed)


def test_what_no_text_may_hold_is_cleaned_before_it_is_sealed():
    text = write_personal_text(person=make_person(), text="a\x00b\ud800c\x07d")
    assert read_personal_text(text.pk) == "ab\ufffdcd"


def test_a_text_moved_to_another_person_is_unreadable():
    text = write_personal_text(person=make_person(), text=SAID)
    PersonalText.objects.filter(pk=text.pk).update(person=make_person())
    with pytest.raises(Unreadable):
        read_personal_text(text.pk)


def test_a_persons_key_moved_to_another_person_opens_nothing():
    """Also when the wrapped key is copied along with the text: it is bound to the row it was made for."""
    text = write_personal_text(person=make_person(), text=SAID)
    thief = make_person()
    thief.wrapped_key = text.person.wrapped_key
    thief.save(update_fields=["wrapped_key"])
    PersonalText.objects.filter(pk=text.pk).update(person=thief)
    with pytest.raises(Unreadable):
        read_personal_text(text.pk)


def test_texts_of_the_erased_read_as_none_beside_those_of_others():
    gone, here = make_person(), make_person()
    written = [write_personal_text(person=person, text=SAID) for person in (gone, here, here)]
    erase_person(person_id=gone.pk, now=timezone.now())
    assert read_personal_texts(text.pk for text in written) == dict(
        zip([text.pk for text in written], [None, SAID, SAID], strict=True)
    )


def test_nothing_can_be_written_for_the_erased():
    person = make_person()
    person = erase_person(person_id=person.pk, now=timezone.now())
    with pytest.raises(PersonErased):
        write_personal_text(person=person, text=SAID)
    assert PersonalText.objects.count() == 0


def test_an_unknown_text_is_an_error():
    with pytest.raises(KeyError):
        read_personal_text(-1)


def test_many_texts_are_one_query_and_one_key_for_each_author(django_assert_num_queries, monkeypatch):
    authors = [make_person(), make_person()]
    written = [write_personal_text(person=person, text=SAID) for person in authors for _ in range(5)]
    unwrapped = []
    unwrap = texts.unwrap_key

    def counted(wrapped: bytes, *, context: str) -> bytes:
        unwrapped.append(context)
        return unwrap(wrapped, context=context)

    monkeypatch.setattr(texts, "unwrap_key", counted)
    with django_assert_num_queries(1):
        read_personal_texts(text.pk for text in written)
    assert sorted(unwrapped) == sorted(f"person:{person.pk}" for person in authors)
