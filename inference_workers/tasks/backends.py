"""From an endpoint's row to the engine that serves it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
from django.conf import settings

from foundation.encryption import Unreadable
from foundation.outbound import DEFAULT_MAX_BYTES, OutboundRefused, outbound_client, release_secret
from inference_workers.engine.measuring import MeasuringBackend, scripted_measure
from inference_workers.engine.protocol import Backend, BackendFull, Event, GenerationRequest, ModelRef
from inference_workers.engine.registry import OpenAISpec, TransformersSpec, load
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.engine.settings import DeviceUnusable, EndpointSettings, TransformersSettings
from inference_workers.engine.smollm2 import SmolLM2NotInstalled, smollm2_folder
from inference_workers.enums import Backend as BackendKind
from inference_workers.errors import InferenceError
from inference_workers.models import Endpoint, LanguageModelRevision
from inference_workers.policies.folders import SMOLLM2, ModelNotAllowed, model_folder

if TYPE_CHECKING:
    from inference_workers.engine.transformers_backend import TransformersBackend

# The pump counts what each endpoint may hold; all in-process endpoints share one backend and its memory.
IN_PROCESS_CAPACITY = 256

# Set before transformers is imported.
QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}


class EndpointUnusable(InferenceError):
    """Nothing can be asked of this endpoint as it is; the message is for its operator."""


class Backends:
    """The backends of this process, made when first needed and kept while their endpoint stays as it is."""

    def __init__(self) -> None:
        self._in_process: TransformersBackend | None = None
        self._others: dict[int, _Kept] = {}
        self._measuring: dict[int, _Measuring] = {}

    def of(self, endpoint: Endpoint) -> Backend:
        """Raises EndpointUnusable."""
        if endpoint.backend == BackendKind.TRANSFORMERS:
            return self.in_process()
        kept = self._others.get(endpoint.pk)
        if kept is not None:
            if kept.made_for == _identity(endpoint) or kept.backend.active:
                return kept.backend
            self.drop(kept.backend)
        kept = self._others[endpoint.pk] = _make(endpoint)
        return kept.backend

    def in_process(self) -> "TransformersBackend":
        """One backend for all endpoints of this process: they share its memory. Imports torch."""
        if self._in_process is None:
            for name, value in QUIET.items():
                os.environ.setdefault(name, value)
            wanted = TransformersSettings(
                capacity=IN_PROCESS_CAPACITY,
                device=settings.GENERATION_DEVICE or None,
                threads=settings.GENERATION_THREADS,
                most_rows=max(settings.GENERATION_MOST_ROWS, 1),
                cache_budget=settings.GENERATION_CACHE_MB * 1_000_000 or None,
            )
            try:
                self._in_process = cast("TransformersBackend", load(TransformersSpec(wanted)))
            except ImportError as error:
                raise EndpointUnusable(f"install cardinal-arena[worker]: no module {error.name}") from error
            except DeviceUnusable as error:
                raise EndpointUnusable(f"GENERATION_DEVICE: {error}") from error
        return self._in_process

    def measuring(self, endpoint: Endpoint) -> MeasuringBackend:
        """What measures texts there, beside what writes them. Raises EndpointUnusable."""
        # Models in the worker are kept together, whichever endpoint names them.
        key = 0 if endpoint.backend == BackendKind.TRANSFORMERS else endpoint.pk
        kept = self._measuring.get(key)
        made_for = () if key == 0 else _identity(endpoint)
        if kept is not None:
            if kept.made_for == made_for or kept.backend.active:
                return kept.backend
            self.drop(kept.backend)
        kept = self._measuring[key] = _make_measuring(endpoint, made_for)
        return kept.backend

    def drop(self, backend: Backend | MeasuringBackend) -> None:
        """Close a backend that broke, or whose endpoint changed; the next need makes a new one."""
        for key, measuring in list(self._measuring.items()):
            if measuring.backend is backend:
                del self._measuring[key]
                if measuring.client is not None:
                    measuring.client.close()
        if backend is self._in_process:
            self._in_process = None
        for endpoint_id, kept in list(self._others.items()):
            if kept.backend is backend:
                del self._others[endpoint_id]
                if kept.client is not None:
                    kept.client.close()
        backend.close()


@dataclass(frozen=True)
class _Kept:
    made_for: tuple[object, ...]
    backend: Backend
    client: httpx.Client | None = None


@dataclass(frozen=True)
class _Measuring:
    made_for: tuple[object, ...]
    backend: MeasuringBackend
    client: httpx.Client | None = None


def _make_measuring(endpoint: Endpoint, made_for: tuple[object, ...]) -> _Measuring:
    if endpoint.backend == BackendKind.TRANSFORMERS:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        try:
            from inference_workers.engine.encoders import BATCH, local_measure
        except ImportError as error:
            raise EndpointUnusable(f"install cardinal-arena[worker]: no module {error.name}") from error
        measure = local_measure(device=settings.GENERATION_DEVICE or None, threads=settings.GENERATION_THREADS)
        return _Measuring(made_for, MeasuringBackend(measure, batch=BATCH))
    if endpoint.backend == BackendKind.SCRIPTED:
        if not settings.SCRIPTED_ENDPOINTS:
            raise EndpointUnusable("scripted endpoints are for tests: SCRIPTED_ENDPOINTS is off")
        return _Measuring(made_for, MeasuringBackend(scripted_measure, batch=16))
    from inference_workers.engine.embeddings_endpoint import BATCH as AT_ONCE
    from inference_workers.engine.embeddings_endpoint import endpoint_measure

    wanted, client = _address(endpoint)
    return _Measuring(made_for, MeasuringBackend(endpoint_measure(wanted, client), batch=AT_ONCE), client)


def _identity(endpoint: Endpoint) -> tuple[object, ...]:
    """What a backend was made from; a change of any of it needs a new one."""
    sealed = bytes(endpoint.sealed_key) if endpoint.sealed_key else b""
    dialect = (endpoint.ask_usage, endpoint.max_tokens_field, json.dumps(endpoint.extra_body, sort_keys=True))
    return (endpoint.backend, endpoint.base_url, sealed, endpoint.capacity, endpoint.timeout_seconds, *dialect)


def _make(endpoint: Endpoint) -> _Kept:
    if endpoint.backend == BackendKind.SCRIPTED:
        if not settings.SCRIPTED_ENDPOINTS:
            raise EndpointUnusable("scripted endpoints are for tests: SCRIPTED_ENDPOINTS is off")
        return _Kept(_identity(endpoint), ScriptedBackend(ScriptedSettings(endpoint.capacity), rule=_scripted))
    wanted, client = _address(endpoint)
    return _Kept(_identity(endpoint), load(OpenAISpec(wanted, client)), client)


def _address(endpoint: Endpoint) -> tuple[EndpointSettings, httpx.Client]:
    """What may be asked of an OpenAI-compatible address, and the client that asks. Raises EndpointUnusable."""
    url, seconds = endpoint.base_url, endpoint.timeout_seconds
    # A third more than the file: pictures come as base64.
    most = settings.MEDIA_FILE_MAX_MB * 1_400_000
    try:
        key = release_secret(bytes(endpoint.sealed_key), url=url) if endpoint.sealed_key else ""
        client = outbound_client(base_url=url, timeout=seconds, silence=seconds, max_bytes=max(most, DEFAULT_MAX_BYTES))
    except Unreadable as error:
        raise EndpointUnusable("the endpoint's key was sealed for another address: enter it again") from error
    except OutboundRefused as error:
        raise EndpointUnusable(str(error)) from error
    wanted = EndpointSettings(
        base_url=url,
        api_key=key,
        capacity=endpoint.capacity,
        total_s=seconds,
        ask_usage=endpoint.ask_usage,
        max_tokens_field=endpoint.max_tokens_field,
        extra_body=endpoint.extra_body,
        max_file_bytes=most,
    )
    return wanted, client


class NoBackend:
    """Stands where an endpoint cannot be used: its jobs only have to be failed."""

    capacity = active = 0

    def admit(self, request: object) -> None:
        raise BackendFull

    def step(self, timeout: float) -> list[Event]:
        return []

    def cancel(self, request_id: str) -> None:
        """There is nothing to cancel."""

    def close(self) -> None:
        """There is nothing to close."""


def _scripted(request: GenerationRequest) -> Script:
    """A scripted model is named by its pace and length: `words=40,pace=0.05`."""
    given = dict(part.partition("=")[::2] for part in request.model.path.split(",") if "=" in part)
    return ScriptedSettings(words=int(given.get("words", 40)), pace_s=float(given.get("pace", 0))).script(request)


def model_ref(revision: LanguageModelRevision) -> ModelRef:
    """What the revision's engine calls its model. Raises EndpointUnusable."""
    name = revision.provider_model
    if revision.endpoint.backend != BackendKind.TRANSFORMERS:
        return ModelRef(path=name)
    models = Path(settings.DATA_DIR) / "models"
    try:
        if name == SMOLLM2:
            return ModelRef(path=str(smollm2_folder(models)))
        return ModelRef(path=str(model_folder(name, models=models, allowed=settings.MODEL_FOLDERS)))
    except (ModelNotAllowed, SmolLM2NotInstalled) as error:
        raise EndpointUnusable(str(error)) from error
