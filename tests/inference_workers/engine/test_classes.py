"""Models that sort texts: a score for each class, of a folder in the worker or of an address's /moderations."""

import httpx
import pytest

from inference_workers.engine.embeddings_endpoint import endpoint_measure
from inference_workers.engine.encoders import local_measure
from inference_workers.engine.measuring import MeasuringBackend, scripted_measure
from inference_workers.engine.protocol import ChatMessage, ErrorCode, MeasureRequest, ModelRef, Picture, Task
from inference_workers.engine.settings import EndpointSettings
from tests.inference_workers.engine.json_endpoint import JSONEndpoint
from tests.inference_workers.engine.test_measuring import run
from tests.inference_workers.engine.tiny_classifier import WORD, save_tiny_classifier

HARMLESS = "Why is the sky blue"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_classifier(tmp_path_factory.mktemp("classes") / "tiny-classes")


def sort(*texts: str, folder=None, endpoint=None):
    """What a backend says of the texts, in their order: scores by class, or the failure."""
    if folder is not None:
        measure = local_measure(device="cpu", threads=1)
    elif endpoint is not None:
        settings = EndpointSettings(base_url=endpoint.url, api_key="sk-1", max_bytes=100_000, total_s=5.0)
        measure = endpoint_measure(settings, httpx.Client())
    else:
        measure = scripted_measure
    backend = MeasuringBackend(measure, batch=4, capacity=8)
    model = ModelRef(str(folder or "guard-1"))
    requests = [MeasureRequest(str(n), Task.CLASSES, (ChatMessage("user", t),), model) for n, t in enumerate(texts)]
    ends = run(backend, *requests)
    found = [ends[str(n)] for n in range(len(texts))]
    return [dict(zip(end.labels, end.numbers, strict=True)) if hasattr(end, "labels") else end.error for end in found]


def test_a_folder_gives_every_class_a_score_and_finds_what_it_was_trained_for(folder):
    harmless, violent = sort(HARMLESS, f"and a {WORD} said it", folder=folder)
    assert set(harmless) == set(violent) == {"harmless", "violence"}
    assert harmless["violence"] < 0.1
    assert violent["violence"] > 0.9
    assert sum(violent.values()) == pytest.approx(1.0, abs=1e-5)


def test_nothing_is_hidden_behind_a_beginning_that_is_longer_than_the_models_context(folder):
    (scores,) = sort(f"{HARMLESS} " * 100 + WORD, folder=folder)
    assert scores["violence"] > 0.9


def test_control_where_a_text_is_cut_at_the_context_its_end_goes_unseen(folder, monkeypatch):
    from inference_workers.engine import encoders

    whole = encoders.Encoders._forward
    monkeypatch.setattr(encoders.Encoders, "_forward", lambda self, made, rows, task: whole(self, made, rows[:1], task))
    monkeypatch.setattr(encoders, "BATCH", 10_000)
    (scores,) = sort(f"{HARMLESS} " * 100 + WORD, folder=folder)
    assert scores["violence"] < 0.1


def test_classes_that_do_not_exclude_each_other_are_scored_each_by_itself(tmp_path):
    made = save_tiny_classifier(tmp_path / "several", labels=("plain", "hate"), several=True)
    (scores,) = sort(f"a {WORD}", folder=made)
    assert scores["hate"] > 0.9 > 0.1 > scores["plain"]


def test_a_model_without_such_a_head_is_refused_by_name(tiny_model):
    (error,) = sort(HARMLESS, folder=tiny_model.path)
    assert (error.code, "has no classification head" in error.message) == (ErrorCode.MODEL_LOAD, True)


def test_an_address_is_asked_in_the_shape_of_moderations_with_its_key():
    def moderations(body):
        results = [
            {
                "flagged": "kill" in text,
                "categories": {},
                "category_scores": {"violence": 0.75, "hate/threatening": 0.0},
            }
            for text in body["input"]
        ]
        return 200, {"id": "m", "model": "guard-1", "results": results}

    with JSONEndpoint(moderations) as endpoint:
        assert sort("kill", "hug", endpoint=endpoint) == [{"violence": 0.75, "hate/threatening": 0.0}] * 2
        assert endpoint.asked == [("/v1/moderations", {"model": "guard-1", "input": ["kill", "hug"]})]
        assert endpoint.keys == ["Bearer sk-1"]


def test_what_has_a_picture_is_asked_about_alone_as_parts_and_texts_go_together():
    """A list with a picture in it has one result."""

    def moderations(body):
        parts = isinstance(body["input"][0], dict)
        score = 0.9 if parts else 0.1
        return 200, {"results": [{"category_scores": {"violence": score}}] * (1 if parts else len(body["input"]))}

    seen = Picture("image/png", b"pixels")
    chats = [ChatMessage("user", "one"), ChatMessage("user", "two", seen), ChatMessage("user", "three")]
    chats.append(ChatMessage("user", "", seen))
    with JSONEndpoint(moderations) as endpoint:
        settings = EndpointSettings(base_url=endpoint.url, max_bytes=100_000, total_s=5.0)
        backend = MeasuringBackend(endpoint_measure(settings, httpx.Client()), batch=4, capacity=8)
        requests = [MeasureRequest(str(n), Task.CLASSES, (chat,), ModelRef("guard-1")) for n, chat in enumerate(chats)]
        ends = run(backend, *requests)
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,cGl4ZWxz"}}
        asked = [body["input"] for _path, body in endpoint.asked]
    assert asked == [["one", "three"], [{"type": "text", "text": "two"}, picture], [picture]]
    assert [ends[str(n)].numbers for n in range(4)] == [(0.1,), (0.9,), (0.1,), (0.9,)]


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, {"results": []}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"flagged": True}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": [0.1]}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": {}}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": {"violence": "much"}}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": {"violence": 1.5}}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": {"a\x00b": 0.5}}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, {"results": [{"category_scores": {str(n): 0.5 for n in range(201)}}]}, ErrorCode.ENDPOINT_PROTOCOL),
        (200, b'{"results": [{"category_scores": {"violence": NaN}}]}', ErrorCode.ENDPOINT_PROTOCOL),
        (200, b'{"results": [{"category_sc', ErrorCode.ENDPOINT_PROTOCOL),
        pytest.param(200, b"[" * 50_000, ErrorCode.ENDPOINT_PROTOCOL, id="deep"),
        pytest.param(200, b"x" * 200_000, ErrorCode.ENDPOINT_OVERSIZED, id="large"),
        (403, {}, ErrorCode.ENDPOINT_KEY_REFUSED),
        (500, {}, ErrorCode.ENDPOINT_STATUS),
    ],
)
def test_what_an_address_answers_wrong_is_a_named_failure(status, answer, code):
    with JSONEndpoint(lambda body: (status, answer)) as endpoint:
        (error,) = sort("a text", endpoint=endpoint)
    assert error.code == code


def test_the_scripted_one_sorts_by_words_that_tests_write():
    assert sort("a !violence") == [{"code": 0.1, "sexual": 0.1, "violence": 0.9}]
