"""What every backend that measures guarantees: one end for each request, in any company, and numbers that can be
stored."""

import json
import math
from collections.abc import Iterator

import httpx
import pytest
import torch
from transformers import AutoConfig, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaForSequenceClassification

from inference_workers.engine.embeddings_endpoint import endpoint_measure
from inference_workers.engine.measuring import MeasuringBackend, scripted_measure
from inference_workers.engine.protocol import (
    BackendFull,
    ChatMessage,
    DuplicateRequest,
    ErrorCode,
    Failed,
    Measured,
    MeasureRequest,
    ModelRef,
    Task,
)
from inference_workers.engine.settings import EndpointSettings
from tests.inference_workers.engine.json_endpoint import JSONEndpoint
from tests.inference_workers.engine.tiny_models import _SHAPE, tiny_tokenizer

WORDS = "The quick brown fox jumps over the lazy dog."
CAPACITY = 8


def embeddings(body) -> dict:
    """In another order than asked, as a server may."""
    rows = [{"index": n, "embedding": [1.0 + len(text), 2.0, 3.0]} for n, text in enumerate(body["input"])]
    return {"data": rows[::-1], "usage": {"prompt_tokens": sum(len(text.split()) for text in body["input"])}}


@pytest.fixture
def endpoint() -> Iterator[JSONEndpoint]:
    with JSONEndpoint(lambda body: (200, embeddings(body))) as server:
        yield server


def over_http(server: JSONEndpoint, **settings) -> MeasuringBackend:
    wanted = EndpointSettings(base_url=server.url, **settings)
    return MeasuringBackend(endpoint_measure(wanted, httpx.Client()), batch=4, capacity=CAPACITY)


@pytest.fixture(scope="module")
def reward_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reward") / "tiny-reward"
    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(tokenizer), num_labels=1, pad_token_id=tokenizer.pad_token_id, **_SHAPE)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def local_backend() -> MeasuringBackend:
    from inference_workers.engine.encoders import local_measure

    return MeasuringBackend(local_measure(device="cpu", threads=1), batch=4, capacity=CAPACITY)


@pytest.fixture(params=["scripted", "transformers", "openai"])
def any_encoder(request, endpoint):
    if request.param == "scripted":
        yield MeasuringBackend(scripted_measure, batch=4, capacity=CAPACITY), ModelRef("scripted")
    elif request.param == "transformers":
        yield local_backend(), request.getfixturevalue("tiny_model")
    else:
        yield over_http(endpoint), ModelRef("tiny")


def embed(id: str, text: str, model: ModelRef) -> MeasureRequest:
    return MeasureRequest(id, Task.EMBEDDING, (ChatMessage("user", text),), model)


def rate(id: str, answer: str, model: ModelRef) -> MeasureRequest:
    return MeasureRequest(
        id, Task.REWARD, (ChatMessage("user", "How are you?"), ChatMessage("assistant", answer)), model
    )


def run(backend: MeasuringBackend, *requests: MeasureRequest) -> dict:
    for request in requests:
        backend.admit(request)
    ends: dict = {}
    while backend.active:
        for event in backend.step(5.0):
            assert event.id not in ends
            ends[event.id] = event
    return ends


def test_every_request_ends_once_with_a_vector_of_length_one(any_encoder):
    backend, model = any_encoder
    ends = run(backend, *(embed(f"r{n}", WORDS[: 10 + 3 * n], model) for n in range(CAPACITY)))
    assert sorted(ends) == [f"r{n}" for n in range(CAPACITY)]
    assert all(isinstance(end, Measured) for end in ends.values())
    assert all(math.isclose(math.fsum(x * x for x in end.numbers), 1.0, rel_tol=1e-6) for end in ends.values())
    assert len({len(end.numbers) for end in ends.values()}) == 1
    assert all(end.prompt_tokens >= 0 and end.total_s >= 0 for end in ends.values())


def test_a_text_has_the_same_vector_in_any_company(any_encoder):
    backend, model = any_encoder
    alone = run(backend, embed("alone", WORDS, model))["alone"].numbers
    among = run(backend, embed("x", "Hi.", model), embed("same", WORDS, model), embed("y", WORDS * 3, model))["same"]
    assert among.numbers == pytest.approx(alone, abs=1e-5)


def test_capacity_and_ids_are_held_and_a_cancelled_request_says_so_alone(any_encoder):
    backend, model = any_encoder
    for n in range(CAPACITY):
        backend.admit(embed(f"r{n}", WORDS, model))
    with pytest.raises(DuplicateRequest):
        backend.admit(embed("r0", WORDS, model))
    with pytest.raises(BackendFull):
        backend.admit(embed("more", WORDS, model))
    backend.cancel("r5")
    ends: dict = {}
    while backend.active:
        for event in backend.step(5.0):
            ends.setdefault(event.id, []).append(event)
    assert {len(each) for each in ends.values()} == {1}
    assert ends["r5"][0].error.code == ErrorCode.CANCELLED


def test_a_reward_is_one_number_and_hangs_on_the_answer(reward_folder):
    backend = local_backend()
    model = ModelRef(str(reward_folder))
    ends = run(
        backend, rate("a", "Well, thanks.", model), rate("b", "Go away!", model), rate("c", "Well, thanks.", model)
    )
    assert [len(end.numbers) for end in ends.values()] == [1, 1, 1]
    assert ends["a"].numbers[0] == pytest.approx(ends["c"].numbers[0], abs=1e-5)
    assert ends["a"].numbers != ends["b"].numbers


def refused(folder, task=Task.EMBEDDING) -> str:
    request = (
        embed("r", WORDS, ModelRef(str(folder))) if task == Task.EMBEDDING else rate("r", "x", ModelRef(str(folder)))
    )
    end = run(local_backend(), request)["r"]
    assert isinstance(end, Failed)
    assert end.error.code == ErrorCode.MODEL_LOAD
    return end.error.message


def test_a_folder_with_code_or_pickled_weights_is_refused_by_name(reward_folder, tmp_path):
    config = AutoConfig.from_pretrained(reward_folder).to_dict()
    for name in ("with-code", "pickled"):
        (tmp_path / name).mkdir()
    (tmp_path / "with-code" / "model.safetensors").write_bytes(b"")
    (tmp_path / "with-code" / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "own.Model"}}))
    (tmp_path / "pickled" / "config.json").write_text(json.dumps(config))
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    assert "with-code brings code of its own" in refused(tmp_path / "with-code")
    assert "pytorch_model.bin is pickled" in refused(tmp_path / "pickled")


def test_a_model_that_writes_is_no_reward_model(tiny_model):
    assert "is no reward model" in refused(tiny_model.path, Task.REWARD)


def test_a_text_that_does_not_fit_fails_and_its_neighbours_do_not(tiny_model):
    ends = run(local_backend(), embed("long", WORDS * 200, tiny_model), embed("short", WORDS, tiny_model))
    assert ends["long"].error.code == ErrorCode.CONTEXT_TOO_LONG
    assert isinstance(ends["short"], Measured)


@pytest.mark.parametrize(
    ("status", "answer", "code", "retryable"),
    [
        (200, {"data": []}, ErrorCode.ENDPOINT_PROTOCOL, False),
        (200, {"data": [{"index": 0, "embedding": ["x"]}]}, ErrorCode.ENDPOINT_PROTOCOL, False),
        (200, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, ErrorCode.ENDPOINT_PROTOCOL, False),
        (200, b'{"data": [{"index": 0, "embedding": [NaN, 1]}]}', ErrorCode.ENDPOINT_PROTOCOL, False),
        (200, b"<html>", ErrorCode.ENDPOINT_PROTOCOL, False),
        (200, b"x" * 2_000_000, ErrorCode.ENDPOINT_OVERSIZED, False),
        (429, {}, ErrorCode.ENDPOINT_RATE_LIMITED, True),
        (503, {}, ErrorCode.ENDPOINT_STATUS, True),
        (400, {}, ErrorCode.ENDPOINT_STATUS, False),
        (401, {}, ErrorCode.ENDPOINT_KEY_REFUSED, False),
    ],
)
def test_what_an_endpoint_answers_wrong_is_a_named_failure(endpoint, status, answer, code, retryable):
    endpoint.answers = lambda body: (status, answer)
    end = run(over_http(endpoint, max_bytes=1_000_000), embed("r", WORDS, ModelRef("tiny")))["r"]
    assert (end.error.code, end.error.retryable) == (code, retryable)


def test_an_endpoint_is_asked_for_no_reward(endpoint):
    end = run(over_http(endpoint), rate("r", "x", ModelRef("tiny")))["r"]
    assert "let the reward model run in the worker" in end.error.message
