"""Generations for tests, and workers' results for them."""

from typing import Any

from django.utils import timezone

from annotation.imports.prompts import prompts_of_lines
from annotation.models import Campaign, Generation
from annotation.use_cases.advance_generation import advance_generation
from annotation.use_cases.settle_generated import settle_generated
from annotation.use_cases.start_generation import start_generation
from inference_workers.enums import FinishReason
from inference_workers.models import Completion, LanguageModel
from inference_workers.policies.prices import Usage
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.fail_completion import fail_completion
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.factories import new_key
from tests.inference_workers.factories import LEASE, make_endpoint, make_revision

LONG = "Breathe in slowly and count to four. Hold it for four more. Let it go again. Do that five times, and then rest."


def models(count: int = 3, **fields: Any) -> list[LanguageModel]:
    endpoint = make_endpoint(capacity=64)
    return [make_revision(endpoint=endpoint, **fields).language_model for _ in range(count)]


def generation_of(campaign: Campaign, prompts: int = 3, *, asked: list[LanguageModel] | None = None, **fields: Any):
    lines = "\n".join(f"What is {number} + {number}?" for number in range(prompts))
    values: dict[str, Any] = {"key": new_key(), "actor": None, "seed": 7} | fields
    return start_generation(
        campaign_id=campaign.pk,
        prompts=prompts_of_lines(lines),
        models=[model.pk for model in asked or models()],
        now=timezone.now(),
        **values,
    )


def advance(generation: Generation) -> int:
    return advance_generation(generation_id=generation.pk, now=timezone.now())


def claimed() -> list[Completion]:
    """Everything that waits, running, as a worker would hold it."""
    found: list[Completion] = []
    for endpoint in set(Completion.objects.filter(state="queued").values_list("revision__endpoint", flat=True)):
        found += claim_completions(endpoint_id=endpoint, limit=1000, lease=LEASE, now=timezone.now())
    return found


def finish(completion: Completion, text: str = LONG) -> None:
    assert finish_completion(
        completion_id=completion.pk,
        lease_token=completion.lease_token,
        text=text,
        finish_reason=FinishReason.STOP,
        measures=Measures(100, 20, 0.1, 0.5),
        now=timezone.now(),
    )


def fail(completion: Completion, code: str = "identity_leak", usage: Usage | None = None) -> None:
    fail_completion(
        completion_id=completion.pk,
        lease_token=completion.lease_token,
        code=code,
        message="It named itself.",
        retryable=False,
        usage=usage,
        now=timezone.now(),
    )


def settle(item_id: int) -> bool:
    return settle_generated(item_id=item_id, now=timezone.now())


def work_off(generation: Generation, rounds: int = 50) -> None:
    """Workers write, and the sweeper goes on, until nothing waits."""
    for number in range(rounds):
        advance(generation)
        for place, completion in enumerate(claimed()):
            finish(completion, f"{LONG} {number} {place}")
        generation.refresh_from_db()
        if generation.state != "running":
            return
