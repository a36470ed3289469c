"""The scripted backend does what its rule says, at its pace, and fails where it is told to."""

import time

from inference_workers.engine.protocol import ErrorCode, FinishReason, GenerationError, ModelRef
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from tests.inference_workers.engine.driving import request, run_to_end

MODEL = ModelRef("plain")


def test_a_rule_gives_text_and_failures():
    broken = GenerationError(ErrorCode.ENDPOINT_TIMEOUT, "too slow", retryable=True)
    scripts = {"fine": Script(("Hello", " ", "world")), "broken": Script(("Hel",), broken)}
    backend = ScriptedBackend(rule=lambda wanted: scripts[wanted.id])
    outcomes = run_to_end(backend, request("fine", model=MODEL), request("broken", model=MODEL))
    assert (outcomes["fine"].deltas, outcomes["fine"].finished.text) == (["Hello", " ", "world"], "Hello world")
    assert outcomes["fine"].finished.finish_reason == FinishReason.STOP
    assert (outcomes["broken"].deltas, outcomes["broken"].failed.error) == (["Hel"], broken)


def test_a_marker_in_the_last_message_fails_half_way():
    backend = ScriptedBackend(ScriptedSettings(failures=(("[break]", ErrorCode.INTERNAL),)))
    wanted = [request("bad", "Please [break] here", model=MODEL), request("good", "Please", model=MODEL)]
    outcomes = run_to_end(backend, *wanted)
    assert outcomes["bad"].deltas
    assert outcomes["bad"].failed.error.code == ErrorCode.INTERNAL
    assert outcomes["good"].finished.text


def test_two_models_write_differently_and_each_writes_the_same_again():
    def text(model: str) -> str:
        return run_to_end(ScriptedBackend(), request("r", model=ModelRef(model)))["r"].finished.text

    assert text("one") == text("one")
    assert text("one") != text("two")


def test_requests_are_paced_side_by_side():
    backend = ScriptedBackend(rule=lambda wanted: Script(("a", "b", "c"), pace_s=0.05))
    started = time.monotonic()
    outcomes = run_to_end(backend, *[request(str(n), model=MODEL) for n in range(10)])
    assert 0.2 <= time.monotonic() - started < 2.0
    assert {outcome.finished.text for outcome in outcomes.values()} == {"abc"}
