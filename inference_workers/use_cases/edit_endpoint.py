from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from foundation.outbound import bind_secret, origin_of
from inference_workers.models import Endpoint, LanguageModel
from inference_workers.use_cases.edit_language_model import Recipe, add_revision


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """`key` None keeps the key that is there, an empty one removes it."""

    name: str
    backend: str
    base_url: str = ""
    capacity: int = 8
    timeout_seconds: int = 120
    key: str | None = None


def add_endpoint(*, settings: EndpointSettings, now: datetime) -> Endpoint:
    """Raises django's ValidationError and, for an address that no client may call, OutboundRefused."""
    with transaction.atomic():
        endpoint = Endpoint()
        _write(endpoint, settings)
    return endpoint


def edit_endpoint(*, endpoint_id: int, settings: EndpointSettings, now: datetime) -> Endpoint:
    """Change an endpoint. Another address or backend may answer otherwise, so every language model that runs there
    gets its next revision. A key belongs to its address: moving without entering it again is a ValidationError."""
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
        before = (endpoint.backend, endpoint.base_url)
        if settings.key is None and endpoint.sealed_key and _origin(endpoint.base_url) != _origin(settings.base_url):
            raise ValidationError({"base_url": _("The key belongs to the earlier address. Enter it again.")})
        _write(endpoint, settings)
        if (endpoint.backend, endpoint.base_url) != before:
            _renew_revisions(endpoint)
    return endpoint


def _write(endpoint: Endpoint, settings: EndpointSettings) -> None:
    values = asdict(settings)
    key = values.pop("key")
    for name, value in values.items():
        setattr(endpoint, name, value)
    if key is not None:
        endpoint.sealed_key = bind_secret(key, url=endpoint.base_url) if key else None
    endpoint.full_clean()
    endpoint.save()


def _origin(url: str) -> str:
    return origin_of(url) if url else ""


def _renew_revisions(endpoint: Endpoint) -> None:
    models = LanguageModel.objects.select_for_update(of=("self",)).filter(current__endpoint=endpoint)
    for model in models.select_related("current__endpoint").order_by("pk"):
        assert model.current is not None
        add_revision(model, Recipe.of(model.current))
