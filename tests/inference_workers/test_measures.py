"""Embeddings and rewards as jobs: the rows, limits and leases of completions, and numbers that are paid once."""

import pytest
from django.db import IntegrityError, transaction

from accounts.use_cases.erase_person import erase_person
from inference_workers.dispatch import DoesNotMeasure, NothingToMeasure, request_completion, request_measures
from inference_workers.enums import CompletionState, Task
from inference_workers.models import Completion, Measurement
from inference_workers.queries.measures import measure_progress, numbers_of
from inference_workers.tasks.backends import Backends
from inference_workers.use_cases.request_completion import DoesNotWrite
from inference_workers.use_cases.request_measure import measure_digest
from tests.factories import make_person
from tests.inference_workers.factories import make_revision
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db(transaction=True)


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def embedder():
    return make_revision(model={"name": "E", "slug": "e", "task": "embedding", "price_read": 2, "price_written": 0})


def digests(*texts: str, person=None) -> list[str]:
    return [measure_digest(Task.EMBEDDING, said(text), person) for text in texts]


def test_texts_are_measured_by_the_pump_and_never_twice():
    revision = embedder()
    assert request_measures(revision=revision, chats=[said("one two"), said("three"), said("one two")]) == 2
    assert request_measures(revision=revision, chats=[said("three")]) == 0  # waits already
    run_pump(Backends())
    assert request_measures(revision=revision, chats=[said("three"), said("four")]) == 1
    run_pump(Backends())
    assert Completion.objects.filter(state="succeeded").count() == Measurement.objects.count() == 3
    wanted = digests("one two", "three", "four", "five")
    assert {digest: len(numbers) for digest, numbers in numbers_of(revision.pk, wanted)} == dict.fromkeys(
        wanted[:3], 64
    )
    progress = measure_progress(revision.pk, wanted)
    assert (progress.wanted, progress.measured, progress.missing) == (4, 3, 1)
    # At the price of what was read: two words, at two dollars a million tokens.
    assert float(Completion.objects.get(digest=wanted[0]).cost) == pytest.approx(4e-6)


def test_the_database_holds_one_open_measure_of_a_text():
    revision = embedder()
    request_measures(revision=revision, chats=[said("one")])
    row = Completion.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="one_open_measure"), transaction.atomic():
        Completion.objects.bulk_create([row])


def test_a_measure_that_fails_says_why_and_can_be_asked_again():
    revision = embedder()
    request_measures(revision=revision, chats=[said("this !fails")])
    run_pump(Backends())
    assert Completion.objects.get().error_code == "internal"
    assert measure_progress(revision.pk, digests("this !fails")).failed == 1
    assert request_measures(revision=revision, chats=[said("this !fails")]) == 1


def test_a_vector_of_a_persons_words_goes_with_their_key():
    revision, person = embedder(), make_person()
    request_measures(revision=revision, chats=[said("my own secret")], person=person)
    run_pump(Backends())
    kept = Measurement.objects.get()
    assert (kept.numbers, kept.dimension, kept.person) == (None, 64, person)
    (digest,) = digests("my own secret", person=person)
    assert [found for found, _numbers in numbers_of(revision.pk, [digest])] == [digest]
    assert digest not in digests("my own secret")  # nobody finds it by guessing the words
    erase_person(person_id=person.pk, now=kept.created_at)
    assert list(numbers_of(revision.pk, [digest])) == []


def test_control_a_vector_that_is_not_sealed_outlives_its_person():
    revision, person = embedder(), make_person()
    request_measures(revision=revision, chats=[said("my own secret")])
    run_pump(Backends())
    erase_person(person_id=person.pk, now=Measurement.objects.get().created_at)
    assert len(list(numbers_of(revision.pk, digests("my own secret")))) == 1


def test_who_writes_does_not_measure_and_who_measures_does_not_write():
    writes, measures = make_revision(), embedder()
    with pytest.raises(DoesNotMeasure):
        request_measures(revision=writes, chats=[said("x")])
    with pytest.raises(DoesNotWrite):
        request_completion(revision=measures, messages=said("x"), person=None, priority=9, seed=1)
    for chat in ([], said(" "), [*said("x"), *said("y")]):
        with pytest.raises(NothingToMeasure):
            request_measures(revision=measures, chats=[chat])


def test_rewards_of_chats_are_jobs_too():
    revision = make_revision(model={"name": "R", "slug": "r", "task": "reward"})
    chat = [*said("Hello?"), {"role": "assistant", "content": "Good day to you."}]
    request_measures(revision=revision, chats=[chat])
    run_pump(Backends())
    digest = measure_digest(Task.REWARD, chat, None)
    assert [list(numbers) for _digest, numbers in numbers_of(revision.pk, [digest])] == [[4.0]]
    assert Completion.objects.get().state == CompletionState.SUCCEEDED
