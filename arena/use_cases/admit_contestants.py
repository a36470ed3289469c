from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from annotation.models import Contestant
from annotation.use_cases.enter_contestant import enter_contestant
from arena.models import Arena, EnteredRevision, Entry
from arena.queries.arenas import weight_of
from arena.queries.next_draw import PLAYING, playing
from arena.use_cases.enter_model import enter_model
from inference_workers.enums import Task, Visibility
from inference_workers.models import LanguageModel


@dataclass(frozen=True)
class Admitted:
    """A contestant that a battle may draw, with its share of the draws."""

    contestant: Contestant
    weight: float
    takes_images: bool = False
    # As whoever may know it is told.
    name: str = ""


def admit_contestants(*, arena: Arena, now: datetime) -> dict[int, Admitted]:
    """Everybody a battle of this arena may draw now, by id, in the caller's transaction.

    A model's newest revision enters on its first chance, and so does every model of the site in an arena that takes
    them all.
    """
    if arena.enters_all:
        enter_all_models(arena=arena, now=now)
    newest = EnteredRevision.objects.filter(
        entry=OuterRef("pk"), contestant__revision=OuterRef("language_model__current")
    )
    admitted = {}
    entries = list(playing(arena).annotate(is_known=Exists(newest)))
    # Of each revision as it is: an arena draws no other settings.
    known = Contestant.objects.filter(
        revision__in=[entry.language_model.current_id for entry in entries], sampling_digest=""
    )
    by_revision = {contestant.revision_id: contestant for contestant in known}
    for entry in entries:
        revision = entry.language_model.serves
        contestant = by_revision.get(revision.pk) or enter_contestant(revision=revision)
        if not entry.is_known:
            EnteredRevision.objects.get_or_create(
                entry=entry,
                contestant=contestant,
                defaults={"was_private": entry.language_model.visibility == Visibility.HIDDEN, "entered_at": now},
            )
        model = entry.language_model
        admitted[contestant.pk] = Admitted(contestant, weight_of(entry, now), model.takes_images, model.name)
    return admitted


def enter_all_models(*, arena: Arena, now: datetime) -> None:
    """Those of the site that could be drawn and have no entry yet."""
    drawn = LanguageModel.objects.filter(task=Task.TEXT, current__output=arena.output)
    models = drawn.filter(visibility__in=PLAYING, weight__gt=0)
    for model in models.exclude(pk__in=Entry.objects.filter(arena=arena).values("language_model")).order_by("pk"):
        enter_model(arena=arena, language_model=model, actor=None, now=now)
