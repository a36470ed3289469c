"""What every backend guarantees, whatever is behind it."""

import pytest

from inference_workers.engine.protocol import BackendFull, DuplicateRequest, ErrorCode, FinishReason, GenerationError
from tests.inference_workers.engine.conftest import CAPACITY
from tests.inference_workers.engine.driving import Outcome, collect, request, run_to_end

LONG = "word " * 500


def test_deltas_concatenate_to_the_finished_text(any_backend):
    backend, model = any_backend
    wanted = [request(f"r{n}", f"Question number {n}?", model=model, temperature=0.8, seed=n) for n in range(CAPACITY)]
    outcomes = run_to_end(backend, *wanted)
    assert sorted(outcomes) == [f"r{n}" for n in range(CAPACITY)]
    for outcome in outcomes.values():
        assert "".join(outcome.deltas) == outcome.finished.text
        assert all(outcome.deltas)


def test_text_has_no_special_token_no_half_character_and_no_nul(any_backend):
    backend, model = any_backend
    wanted = [request(f"r{n}", "Hé 😀?", model=model, temperature=1.5, seed=n, max_tokens=60) for n in range(CAPACITY)]
    for outcome in run_to_end(backend, *wanted).values():
        text = outcome.finished.text
        assert text.encode("utf-8").decode("utf-8") == text
        assert not any(debris in text for debris in ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "\ufffd", "\0"))


def test_length_is_the_reason_when_max_tokens_end_the_text(any_backend):
    backend, model = any_backend
    finished = run_to_end(backend, request("r", model=model, max_tokens=3))["r"].finished
    assert (finished.finish_reason, finished.completion_tokens) == (FinishReason.LENGTH, 3)
    assert finished.prompt_tokens > 0
    assert 0 <= finished.first_token_s <= finished.total_s


def test_text_ends_before_a_stop_string_and_never_shows_it(any_backend):
    backend, model = any_backend
    whole = run_to_end(backend, request("whole", model=model))["whole"].finished.text
    stop = whole[5:9]
    outcome = run_to_end(backend, request("cut", model=model, stop=("never to be seen", stop)))["cut"]
    assert outcome.finished.text == whole[: whole.index(stop)]
    assert outcome.finished.finish_reason == FinishReason.STOP
    assert "".join(outcome.deltas) == outcome.finished.text


def test_a_stop_string_is_found_across_the_borders_of_tokens(any_backend):
    """Every end of every delta lies within one of these."""
    backend, model = any_backend
    whole = run_to_end(backend, request("whole", model=model, max_tokens=12))["whole"]
    text, at = whole.finished.text, 0
    for n, delta in enumerate(whole.deltas[:-1]):
        at += len(delta)
        stop = text[max(at - 2, 0) : at + 2]
        cut = run_to_end(backend, request(f"r{n}", model=model, max_tokens=12, stop=(stop,)))[f"r{n}"]
        assert (cut.finished.text, cut.finished.finish_reason) == (text[: text.index(stop)], FinishReason.STOP)
        assert "".join(cut.deltas) == cut.finished.text


def test_log_probabilities_come_where_they_are_asked_for_one_for_each_token(any_backend):
    backend, model = any_backend
    asked = request("asked", model=model, temperature=0.8, seed=1, logprobs=True)
    outcomes = run_to_end(backend, asked, request("not", model=model, temperature=0.8, seed=1))
    told, silent = outcomes["asked"].finished, outcomes["not"].finished
    assert (told.text, silent.logprobs) == (silent.text, None)
    assert told.completion_tokens - len(told.logprobs) in (0, 1)  # an endpoint may leave out the token that ends it
    assert all(-100 < value <= 0 for value in told.logprobs)
    assert len(set(told.logprobs)) > 2
    again = run_to_end(backend, asked)["asked"].finished
    assert again.logprobs == pytest.approx(told.logprobs, abs=1e-5)


def test_same_seed_gives_the_same_text_and_another_seed_another(any_backend):
    backend, model = any_backend
    wanted = [request(f"r{n}", model=model, temperature=1.0, seed=seed) for n, seed in enumerate([7, 7, 8])]
    texts = [outcome.finished.text for _, outcome in sorted(run_to_end(backend, *wanted).items())]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_a_redelivered_request_gives_the_same_text_again(any_backend):
    backend, model = any_backend
    wanted = request("again", "Tell me more.", model=model, temperature=1.0, seed=3)
    first, second = (run_to_end(backend, wanted)["again"].finished for _ in range(2))
    assert (first.text, first.finish_reason) == (second.text, second.finish_reason)


def test_admitting_a_request_that_is_held_is_refused(any_backend):
    backend, model = any_backend
    backend.admit(request("r", model=model))
    with pytest.raises(DuplicateRequest):
        backend.admit(request("r", "Another.", model=model))
    assert backend.active == 1
    assert run_to_end(backend)["r"].finished.text


def test_a_full_backend_refuses_and_takes_more_when_one_has_ended(any_backend):
    backend, model = any_backend
    assert (backend.capacity, backend.active) == (CAPACITY, 0)
    for n in range(CAPACITY):
        backend.admit(request(f"r{n}", model=model))
    with pytest.raises(BackendFull):
        backend.admit(request("late", model=model))
    assert backend.active == CAPACITY
    run_to_end(backend)
    assert run_to_end(backend, request("late", model=model))["late"].finished.text


@pytest.mark.parametrize("order", [("kept", "gone"), ("gone", "kept"), ("gone", "kept", "kept too")])
def test_a_cancelled_request_ends_once_and_the_others_go_on(any_backend, order):
    backend, model = any_backend
    alone = run_to_end(backend, request("kept", model=model))["kept"].finished.text
    outcomes: dict[str, Outcome] = {}
    for id in order:
        backend.admit(request(id, "Something else." if id == "gone" else "Say something.", model=model))
    while not outcomes.get("kept"):
        collect(outcomes, backend.step(0.05))
    backend.cancel("gone")
    backend.cancel("gone")
    backend.cancel("never admitted")
    while backend.active:
        collect(outcomes, backend.step(0.05))
    assert outcomes["gone"].failed.error == GenerationError(ErrorCode.CANCELLED, "cancelled")
    assert {id: outcomes[id].finished.text for id in order if id != "gone"} == dict.fromkeys(
        (id for id in order if id != "gone"), alone
    )


def test_a_cancelled_request_may_be_admitted_again(any_backend):
    backend, model = any_backend
    whole = run_to_end(backend, request("r", model=model))["r"].finished.text
    backend.admit(request("r", model=model))
    backend.step(0.05)
    backend.cancel("r")
    while backend.active:
        backend.step(0.05)
    outcome = run_to_end(backend, request("r", model=model))["r"]
    assert ("".join(outcome.deltas), outcome.finished.text) == (whole, whole)


def test_a_prompt_beyond_the_context_fails_alone(any_backend):
    backend, model = any_backend
    outcomes = run_to_end(backend, request("long", LONG, model=model), request("short", model=model))
    error = outcomes["long"].failed.error
    assert (error.code, error.retryable) == (ErrorCode.CONTEXT_TOO_LONG, False)
    assert outcomes["short"].finished.text


def test_a_request_joins_while_others_run(any_backend):
    backend, model = any_backend
    alone = run_to_end(backend, request("late", "I am late.", model=model))["late"].finished.text
    outcomes: dict[str, Outcome] = {}
    for n in range(3):
        backend.admit(request(f"r{n}", model=model))
    while sum(len(outcome.deltas) for outcome in outcomes.values()) < 6:
        collect(outcomes, backend.step(0.05))
    backend.admit(request("late", "I am late.", model=model))
    while backend.active:
        collect(outcomes, backend.step(0.05))
    assert outcomes["late"].finished.text == alone
    assert len({outcomes[f"r{n}"].finished.text for n in range(3)}) == 1


def test_a_step_without_work_waits_and_says_nothing(any_backend):
    backend, _ = any_backend
    assert backend.step(0.01) == []


def test_close_drops_what_is_held_and_may_be_called_again(any_backend):
    backend, model = any_backend
    backend.admit(request("r", model=model))
    backend.close()
    backend.close()
    assert backend.active == 0
