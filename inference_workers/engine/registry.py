"""From a description of a backend to the backend. Heavy libraries are imported here, when one is wanted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .protocol import Backend
from .scripted import ScriptedBackend, ScriptedSettings
from .settings import EndpointSettings, TransformersSettings

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class TransformersSpec:
    """Models from local folders, in this process."""

    settings: TransformersSettings = field(default_factory=TransformersSettings)


@dataclass(frozen=True, slots=True)
class OpenAISpec:
    """Models behind an OpenAI-compatible address. All requests go through `http_client`."""

    settings: EndpointSettings
    http_client: httpx.Client = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScriptedSpec:
    """No model at all."""

    settings: ScriptedSettings = field(default_factory=ScriptedSettings)


Spec = TransformersSpec | OpenAISpec | ScriptedSpec


def load(spec: Spec) -> Backend:
    """The backend that `spec` describes. A transformers backend loads each model when it is first asked for; the
    others have nothing to load."""
    if isinstance(spec, ScriptedSpec):
        return ScriptedBackend(spec.settings)
    if isinstance(spec, OpenAISpec):
        from .openai_backend import OpenAIBackend

        return OpenAIBackend(spec.settings, http_client=spec.http_client)
    # OpenMP's threads spin while they wait, by default, and take the cores from the web server beside them. The
    # setting is read once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from .transformers_backend import TransformersBackend

    return TransformersBackend(spec.settings)
