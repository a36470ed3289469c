from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Arena, Battle
from foundation.text import clean_json
from inference_workers.enums import Output

# What its admins decide; the rest is its campaign's.
SETTINGS = (
    *(
        "lead",
        "output",
        "look",
        "is_listed",
        "position",
        "is_default",
        "enters_all",
        "modes",
        "system_prompt",
        "examples",
    ),
    *("max_prompt_chars", "max_turns", "max_regenerations", "battles_per_day", "battles_per_network"),
    *("max_waiting", "excluded_alarm"),
    *("pool_by_category", "newcomer_share", "newcomer_votes", "category_votes", "takes_images"),
    *("flood_per_minute", "work_bits"),
)


class BadSettings(ArenaError):
    """A value that an arena cannot have; the message says which."""


class OutputFixed(ArenaError):
    """What an arena's models answer with stays as it is from its first battle on: all its votes are about it."""


class OneIsDefault(ArenaError):
    """An arena stands at the site's first page; make another the default one, and this one stops being it."""


def save_arena(*, arena_id: int, values: Mapping[str, Any], actor: Person | None, now: datetime) -> Arena:
    """Change what is given of an arena's settings; what has changed is an event.

    Raises BadSettings, OutputFixed and OneIsDefault.
    """
    with transaction.atomic():
        arena = Arena.objects.select_for_update(of=["self"]).get(pk=arena_id)
        found = clean_json({name: values[name] for name in SETTINGS if name in values})
        changed = {name: value for name, value in found.items() if getattr(arena, name) != value}
        if changed.get("is_default") is False:
            raise OneIsDefault("the site's first page needs an arena")
        if "output" in changed and Battle.objects.filter(arena=arena).exists():
            raise OutputFixed(f"arena {arena_id} has battles")
        if not changed:
            return arena
        for name, value in changed.items():
            setattr(arena, name, value)
        _check(arena)
        if changed.get("is_default"):
            Arena.objects.filter(is_default=True).update(is_default=False)
        arena.save(update_fields=list(changed))
        # What has to be kept for it is the campaign's.
        Campaign.objects.filter(pk=arena.campaign_id).update(
            keeps_state=arena.newcomer_share is not None, learns_by_category=arena.category_votes is not None
        )
        record_event(subject=arena, verb="settings_saved", actor=actor, data=changed)
    return arena


def _check(arena: Arena) -> None:
    if arena.output != Output.TEXT and arena.max_turns != 1:
        raise BadSettings("Battles of images, sounds or films have one turn.")
    if arena.takes_images and arena.output != Output.TEXT:
        raise BadSettings("Visitors add pictures only where models answer with text.")
    try:
        arena.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise BadSettings("; ".join(error.messages)) from error
