"""What a backend is told when it is made. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class DeviceUnusable(Exception):
    """This machine has no such device; the message says which it has."""


@dataclass(frozen=True, slots=True)
class TransformersSettings:
    """What None means: the best device of this machine, its fastest type, one thread less than there are cores, half of
    the device's memory for weights, and for keys and values whatever is free when a request comes.

    `most_rows` of one model run at once at most, however much memory there is; `cache_budget` bounds keys and values of
    all models together, in bytes."""

    capacity: int = 16
    most_rows: int = 256
    device: str | None = None
    dtype: str | None = None
    threads: int | None = None
    context_limit: int = 8192
    prefill_tokens: int | None = None
    weight_budget: int | None = None
    cache_budget: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """An address and what may be asked of it. `base_url` ends in /v1 for most servers. `idle_s` bounds the silence
    before each piece of the answer, `total_s` the whole answer, `max_bytes` its size on the wire,
    `max_file_bytes` that of an answer that is a file.

    `ask_usage` and `max_tokens_field` are for servers that refuse what is usual; `extra_body` is sent along as it is.
    """

    base_url: str
    api_key: str = field(default="", repr=False)
    capacity: int = 8
    connect_s: float = 10.0
    idle_s: float = 60.0
    total_s: float = 300.0
    max_bytes: int = 8_000_000
    max_file_bytes: int = 300_000_000
    ask_usage: bool = True
    max_tokens_field: str = "max_tokens"
    extra_body: Mapping[str, Any] = field(default_factory=dict)
