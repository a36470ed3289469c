from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from foundation.outbound import bind_secret, origin_of
from foundation.text import clean_json
from inference_workers.enums import BreakerState, TokensField
from inference_workers.models import Endpoint, EndpointGauge, LanguageModel
from inference_workers.use_cases.edit_language_model import Recipe, add_revision
from inference_workers.use_cases.lock_gauge import lock_gauge
from inference_workers.use_cases.record_change import record_change


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """`key` None keeps the key that is there, an empty one removes it."""

    name: str
    backend: str
    base_url: str = ""
    capacity: int = 8
    timeout_seconds: int = 120
    # Over all workers together; None is no limit. The budget is in US dollars a day, and stops batches alone.
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_budget: Decimal | None = None
    # What its server understands.
    ask_usage: bool = True
    max_tokens_field: str = TokensField.MAX_TOKENS
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


def add_endpoint(*, settings: EndpointSettings, now: datetime, actor: Person | None = None) -> Endpoint:
    """Raises django's ValidationError and, for an address that no client may call, OutboundRefused."""
    with transaction.atomic():
        endpoint = Endpoint()
        _write(endpoint, settings)
        EndpointGauge.objects.create(endpoint=endpoint)
        record_change(subject=endpoint, verb="added", before={}, after=_told(endpoint), actor=actor)
    return endpoint


def edit_endpoint(
    *, endpoint_id: int, settings: EndpointSettings, now: datetime, actor: Person | None = None
) -> Endpoint:
    """Change an endpoint. Another address, backend or anything sent along may answer otherwise, so every language model
    that runs there gets its next revision. A key belongs to its address: moving without entering it again is a
    ValidationError."""
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
        before, told = _decisive(endpoint), _told(endpoint)
        if settings.key is None and endpoint.sealed_key and _origin(endpoint.base_url) != _origin(settings.base_url):
            raise ValidationError({"base_url": _("The key belongs to the earlier address. Enter it again.")})
        _write(endpoint, settings)
        if settings.key is not None:
            told["key"] = "before"
        record_change(subject=endpoint, verb="edited", before=told, after=_told(endpoint), actor=actor)
        if settings.key is not None or _decisive(endpoint) != before:
            _try_at_once(endpoint)
        if _decisive(endpoint) != before:
            _renew_revisions(endpoint, actor)
    return endpoint


def _try_at_once(endpoint: Endpoint) -> None:
    """What it was left alone for may be mended."""
    gauge, clock = lock_gauge(endpoint_id=endpoint.pk)
    if gauge.state == BreakerState.OPEN:
        gauge.opened_until = clock
        gauge.save(update_fields=["opened_until"])


def _decisive(endpoint: Endpoint) -> tuple[Any, ...]:
    return (endpoint.backend, endpoint.base_url, endpoint.extra_body)


def _told(endpoint: Endpoint) -> dict[str, Any]:
    """What the history says of it: of a key only whether there is one."""
    names = [name for name in EndpointSettings.__dataclass_fields__ if name != "key"]
    return {name: getattr(endpoint, name) for name in names} | {"key": bool(endpoint.sealed_key)}


def _write(endpoint: Endpoint, settings: EndpointSettings) -> None:
    values = asdict(settings)
    key = values.pop("key")
    for name, value in values.items():
        setattr(endpoint, name, clean_json(value) if name == "extra_body" else value)
    if key is not None:
        endpoint.sealed_key = bind_secret(key, url=endpoint.base_url) if key else None
    endpoint.full_clean()
    endpoint.save()


def _origin(url: str) -> str:
    return origin_of(url) if url else ""


def _renew_revisions(endpoint: Endpoint, actor: Person | None) -> None:
    models = LanguageModel.objects.select_for_update(of=("self",)).filter(current__endpoint=endpoint)
    for model in models.select_related("current__endpoint").order_by("pk"):
        assert model.current is not None
        revision = add_revision(model, Recipe.of(model.current))
        record_change(
            subject=model, verb="moved with its endpoint", before={}, after={}, actor=actor, revision=revision
        )
