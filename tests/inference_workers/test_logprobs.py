"""Log-probabilities are kept where a model's operator asks for them, small, and a person's under that person's key."""

import pytest
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from inference_workers.models import Completion
from inference_workers.policies.logprobs import packed, perplexity, unpacked
from inference_workers.queries import completion_logprobs
from tests.factories import make_person
from tests.inference_workers.factories import make_completion, make_revision
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db(transaction=True)
# Of the script's answer: "An", " answer", "."
EXPECTED = (-0.25, -0.875, -0.125)


def test_a_model_that_keeps_them_has_them_stored_and_another_asks_for_none():
    asked = make_completion(revision=make_revision(model={"keeps_logprobs": True}))
    silent = make_completion()
    run_pump()
    for completion in (asked, silent):
        completion.refresh_from_db()
    assert (completion_logprobs(asked), len(asked.logprobs)) == (EXPECTED, 4 * len(EXPECTED))
    assert (completion_logprobs(silent), silent.logprobs) == (None, None)


def test_those_of_a_persons_answer_are_sealed_and_go_with_the_person():
    person = make_person()
    asked = make_completion(revision=make_revision(model={"keeps_logprobs": True}), person=person)
    run_pump()
    asked.refresh_from_db()
    assert completion_logprobs(asked) == EXPECTED
    assert packed(EXPECTED) not in bytes(asked.logprobs)
    erase_person(person_id=person.pk, now=timezone.now())
    assert completion_logprobs(Completion.objects.get(pk=asked.pk)) is None


def test_what_is_packed_comes_back_and_perplexity_is_one_for_what_is_certain():
    assert unpacked(packed([-0.5, 0.0, -1e-8, -700.25])) == pytest.approx((-0.5, 0.0, -1e-8, -700.25))
    assert (unpacked(packed([])), perplexity([]), perplexity([0.0, 0.0])) == ((), None, 1.0)
    assert perplexity([-0.6931471805599453] * 5) == pytest.approx(2.0)
