import json
from hashlib import sha256

from annotation.enums import ContestantKind
from annotation.errors import AnnotationError
from annotation.models import Contestant
from annotation.policies.samples import AS_THEY_ARE, Settings
from inference_workers.models import LanguageModelRevision


class SettingsNameTaken(AnnotationError):
    """Other settings of the same revision are called so already."""


def enter_contestant(*, revision: LanguageModelRevision, settings: Settings = AS_THEY_ARE) -> Contestant:
    """What a board ranks for this revision, or for this revision under settings of a name of their own; it knows the
    contestant of the revision before it.

    The same settings are the same contestant, whatever they are called the next time. Raises SettingsNameTaken.
    """
    sampling = settings.sampling or None
    digest = sha256(json.dumps(sampling, sort_keys=True).encode()).hexdigest() if sampling else ""
    found = Contestant.objects.filter(revision=revision, sampling_digest=digest).first()
    if found is not None:
        return found
    if sampling and Contestant.objects.filter(revision=revision, settings_name=settings.name).exists():
        raise SettingsNameTaken(
            f"{revision.language_model.name} has other settings that are called {settings.name}: name these otherwise"
        )
    contestant, _ = Contestant.objects.get_or_create(
        revision=revision,
        sampling_digest=digest,
        defaults={
            "kind": ContestantKind.LANGUAGE_MODEL,
            "name": revision.language_model.name,
            "version_of": None if sampling else _earlier(revision),
            "settings_name": settings.name if sampling else "",
            "sampling": sampling,
        },
    )
    return contestant


def _earlier(revision: LanguageModelRevision) -> Contestant | None:
    earlier = Contestant.objects.filter(
        revision__language_model=revision.language_model_id, revision__number__lt=revision.number, sampling_digest=""
    )
    return earlier.order_by("-revision__number").first()
