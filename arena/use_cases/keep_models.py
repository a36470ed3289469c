from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from arena.models import Arena, KeptModel
from arena.queries.arenas import playing_models
from arena.use_cases.draw_contestants import NoSuchModel


def keep_models(*, arena: Arena, person: Person, slugs: Sequence[str], now: datetime) -> int:
    """Make these released models, and no others, somebody's own set in an arena; returns how many they are.

    Raises NoSuchModel for one that visitors cannot name; then nothing is written.
    """
    wanted = set(slugs)
    with transaction.atomic():
        # Two tabs of one visitor: the later set stands, whole.
        Person.objects.select_for_update().get(pk=person.pk)
        found = dict(playing_models(arena).filter(slug__in=wanted).values_list("slug", "pk"))
        if set(found) != wanted:
            raise NoSuchModel("a model was named that cannot be")
        kept = KeptModel.objects.filter(person=person, arena=arena)
        kept.exclude(language_model__in=found.values()).delete()
        KeptModel.objects.bulk_create(
            [KeptModel(person=person, arena=arena, language_model_id=pk, created_at=now) for pk in found.values()],
            ignore_conflicts=True,
        )
    return len(found)
