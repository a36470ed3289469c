"""Backends that every contract test meets: scripted, transformers with a tiny model, and OpenAI's over real HTTP."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inference_workers.engine.protocol import Backend, ModelRef
from inference_workers.engine.scripted import ScriptedBackend, ScriptedSettings
from inference_workers.engine.settings import EndpointSettings, TransformersSettings
from tests.inference_workers.engine.tiny_endpoint import TinyEndpoint

CAPACITY = 8


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> ModelRef:
    from tests.inference_workers.engine.tiny_models import save_tiny_model

    return ModelRef(str(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny-0")))


@pytest.fixture(scope="session")
def other_tiny_model(tmp_path_factory) -> ModelRef:
    from tests.inference_workers.engine.tiny_models import save_tiny_model

    return ModelRef(str(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny-1", seed=1)))


@pytest.fixture
def tiny_backend() -> Iterator[Backend]:
    from inference_workers.engine.transformers_backend import TransformersBackend

    backend = TransformersBackend(tiny_settings())
    yield backend
    backend.close()


def tiny_settings(**changed) -> TransformersSettings:
    """On the CPU in float32, where a batch gives the very tokens of `model.generate`."""
    plain = {"capacity": CAPACITY, "device": "cpu", "dtype": "float32", "threads": 1, "prefill_tokens": 32}
    return TransformersSettings(**(plain | changed))


@pytest.fixture(params=["scripted", "transformers", "openai"])
def any_backend(request) -> Iterator[tuple[Backend, ModelRef]]:
    """Each backend with a model that it serves."""
    if request.param == "scripted":
        backend: Backend = ScriptedBackend(ScriptedSettings(capacity=CAPACITY, context=400))
        yield backend, ModelRef("scripted")
        backend.close()
    elif request.param == "transformers":
        yield request.getfixturevalue("tiny_backend"), request.getfixturevalue("tiny_model")
    else:
        from inference_workers.engine.openai_backend import OpenAIBackend

        with TinyEndpoint() as endpoint, httpx.Client() as client:
            settings = EndpointSettings(base_url=endpoint.url, capacity=CAPACITY)
            backend = OpenAIBackend(settings, http_client=client)
            yield backend, ModelRef("tiny")
            backend.close()


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory) -> Path:
    """The demo's model, converted once for all tests."""
    from inference_workers.engine import smollm2

    return smollm2.smollm2_folder(tmp_path_factory.mktemp("smollm2"))
