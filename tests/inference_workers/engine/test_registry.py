"""A description becomes its backend; nothing heavy is imported before one is wanted, and Django and Celery never."""

import subprocess
import sys

import httpx
import pytest

from inference_workers.engine.openai_backend import OpenAIBackend
from inference_workers.engine.registry import OpenAISpec, ScriptedSpec, TransformersSpec, load
from inference_workers.engine.scripted import ScriptedBackend
from inference_workers.engine.settings import EndpointSettings, TransformersSettings
from inference_workers.engine.transformers_backend import TransformersBackend


def test_each_description_becomes_its_backend():
    with httpx.Client() as client:
        backends = [
            load(ScriptedSpec()),
            load(OpenAISpec(EndpointSettings("http://127.0.0.1:1/v1", capacity=3), client)),
            load(TransformersSpec(TransformersSettings(capacity=5, device="cpu"))),
        ]
        assert [type(backend) for backend in backends] == [ScriptedBackend, OpenAIBackend, TransformersBackend]
        assert [backend.capacity for backend in backends] == [16, 3, 5]
        for backend in backends:
            backend.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("registry", ["torch", "transformers", "openai", "django", "celery"]),
        ("openai_backend", ["torch", "transformers", "django", "celery"]),
        ("smollm2", ["torch", "transformers", "gguf", "django", "celery"]),
        pytest.param("transformers_backend", ["django", "celery", "openai"], marks=pytest.mark.slow),
    ],
)
def test_a_module_imports_only_what_it_works_with(module, unwanted):
    program = f"import sys, inference_workers.engine.{module}; print([n for n in {unwanted} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert out.stdout.strip() == "[]"
