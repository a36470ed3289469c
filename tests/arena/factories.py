"""Battles in the state a test needs; models carry canaries in every field that could give them away."""

import itertools
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Person
from arena.models import Arena, Battle
from arena.use_cases.seed_arena import seed_arena
from arena.use_cases.settle_completion import open_battle, settle_completion
from arena.use_cases.start_battle import start_battle
from inference_workers.enums import FinishReason, Visibility
from inference_workers.models import Completion
from inference_workers.policies.screen import SCREEN_VERSION
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.fail_completion import fail_completion
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.factories import make_person, new_key
from tests.inference_workers.factories import LEASE, make_revision

numbers = itertools.count(1)


def make_models(
    count: int = 2, *, endpoint: Any = None, visibility: str = Visibility.PUBLIC, output: str = "text"
) -> list[str]:
    """Models whose every field holds a canary; returns the canaries."""
    canaries = []
    for _ in range(count):
        number = next(numbers)
        words = {
            field: f"canary{field}{number}"
            for field in ("name", "slug", "alias", "org", "licence", "provider", "system")
        }
        revision = make_revision(
            endpoint=endpoint,
            model={
                "name": words["name"],
                "slug": words["slug"],
                "aliases": [words["alias"]],
                "organisation": words["org"],
                "licence": words["licence"],
                "visibility": visibility,
            },
            provider_model=words["provider"],
            system_prompt=words["system"],
            output=output,
        )
        revision.endpoint.name = f"canaryendpoint{number}"
        revision.endpoint.save(update_fields=["name"])
        canaries += [*words.values(), revision.endpoint.name]
    return canaries


def make_arena(
    slug: str = "", *, consent: str = "", contestants: int = 2, output: str = "text", **fields: Any
) -> Arena:
    """The default arena, or another under its slug; visitors of those with a text about data use agree to it."""
    arena = seed_arena(
        now=timezone.now(),
        slug=slug,
        name=f"Arena {slug}".strip(),
        consent=consent,
        contestants=contestants,
        output=output,
    )
    if arena.flood_per_minute == Arena._meta.get_field("flood_per_minute").default:
        # Tests begin battles faster than people do.
        fields = {"flood_per_minute": None} | fields
    for name, value in fields.items():
        setattr(arena, name, value)
    arena.save(update_fields=list(fields))
    return arena


def arena_of(contestants: int, slug: str = "several", **fields: Any) -> Arena:
    """A running arena whose battles have so many models, asking what such an arena usually asks."""
    found = Arena.objects.filter(campaign__slug=slug).first()
    return found or make_arena(slug, contestants=contestants, **fields)


def begin(
    person: Person | None = None,
    *,
    prompt: str = "Why is the sky blue?",
    key: str | None = None,
    arena: Arena | None = None,
    **fields: Any,
) -> Battle:
    """A battle whose models are answering."""
    return start_battle(
        arena=arena or make_arena(),
        person=person or make_person(),
        prompt=prompt,
        network="",
        key=key or new_key(),
        now=timezone.now(),
        **fields,
    )


def claimed_turn(battle: Battle) -> list[Completion]:
    """The completions of the battle's current turn, running, by position."""
    waiting = Completion.objects.filter(turn__response__item=battle.item, state="queued")
    for endpoint in set(waiting.values_list("revision__endpoint", flat=True)):
        claim_completions(endpoint_id=endpoint, limit=100, lease=LEASE, now=timezone.now())
    return list(
        Completion.objects.filter(turn__response__item=battle.item, state="running")
        .select_related("revision")
        .order_by("turn__response__position")
    )


def finish(completion: Completion, text: str) -> None:
    end(completion, text)
    settle(completion)


def end(completion: Completion, text: str) -> None:
    """Its row alone: nobody has taken the news yet."""
    assert finish_completion(
        completion_id=completion.pk,
        lease_token=completion.lease_token,
        text=text,
        finish_reason=FinishReason.STOP,
        measures=Measures(12, 5, 0.1, 0.5),
        now=timezone.now(),
        screen_version=SCREEN_VERSION,
    )


def settle(completion: Completion) -> None:
    """The news of its end, and the hour at which the battle opens, if it has one now."""
    settle_completion(completion_id=completion.pk, now=timezone.now())
    let_open()


def let_open() -> None:
    """It is the hour of every battle whose answers are whole."""
    for battle in Battle.objects.filter(state="answering", opens_at__isnull=False):
        open_battle(battle_id=battle.pk, now=battle.opens_at)


def fail(completion: Completion, code: str = "empty") -> None:
    fail_completion(
        completion_id=completion.pk,
        lease_token=completion.lease_token,
        code=code,
        message="no text",
        retryable=False,
        now=timezone.now(),
    )
    settle(completion)


TEXTS = ("Because of **Rayleigh**.", "Because it is.", "Blue light is scattered most.", "It mirrors the sea, they say.")


def answer(battle: Battle, texts: tuple[str, ...] | None = None) -> Battle:
    """All models have answered the current turn."""
    turn = claimed_turn(battle)
    for completion, text in zip(turn, texts or TEXTS[: len(turn)], strict=True):
        finish(completion, text)
    battle.refresh_from_db()
    return battle


def votable(person: Person | None = None, **fields: Any) -> Battle:
    return answer(begin(person, **fields))


def long_ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def unknown_id() -> uuid.UUID:
    return uuid.uuid4()
