"""Rows of this app for its tests."""

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from inference_workers.enums import Backend, CompletionState, Priority
from inference_workers.models import Completion, Endpoint, EndpointGauge, LanguageModel, LanguageModelRevision
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.request_completion import request_completion
from tests.factories import later

numbers = itertools.count(1)
LEASE = timedelta(seconds=30)


def make_endpoint(**fields: Any) -> Endpoint:
    values = {"name": f"Endpoint {next(numbers)}", "backend": Backend.SCRIPTED} | fields
    endpoint = Endpoint.objects.create(**values)
    EndpointGauge.objects.create(endpoint=endpoint)
    return endpoint


def make_revision(
    *, endpoint: Endpoint | None = None, model: dict[str, Any] | None = None, **fields: Any
) -> LanguageModelRevision:
    number = next(numbers)
    language_model = LanguageModel.objects.create(
        **({"name": f"Model {number}", "slug": f"model-{number}"} | (model or {}))
    )
    # The tests' tiny models never end a text by themselves.
    values = {"provider_model": "words=20", "number": 1, "accepts_cut": True} | fields
    revision = LanguageModelRevision.objects.create(
        language_model=language_model, endpoint=endpoint or make_endpoint(), **values
    )
    language_model.current = revision
    language_model.save(update_fields=["current"])
    return revision


def make_completion(
    *, revision: LanguageModelRevision | None = None, content: str = "Say something.", **fields: Any
) -> Completion:
    values = {"person": None, "priority": Priority.VISITOR, "seed": next(numbers)} | fields
    return request_completion(
        revision=revision or make_revision(), messages=[{"role": "user", "content": content}], **values
    )


def claim(completion: Completion) -> Completion:
    """Take the completion as a worker would; it must be the one that comes next."""
    (claimed,) = claim_completions(
        endpoint_id=completion.revision.endpoint_id, limit=1, lease=LEASE, now=timezone.now()
    )
    assert claimed.pk == completion.pk
    return claimed


def let_lease_run_out(completion: Completion) -> None:
    Completion.objects.filter(pk=completion.pk, state=CompletionState.RUNNING).update(
        lease_expires_at=later(seconds=-1)
    )
