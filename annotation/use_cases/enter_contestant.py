from annotation.enums import ContestantKind
from annotation.models import Contestant
from inference_workers.models import LanguageModelRevision


def enter_contestant(*, revision: LanguageModelRevision) -> Contestant:
    """What a board ranks for this revision; it knows the contestant of the revision before it."""
    found = Contestant.objects.filter(revision=revision).first()
    if found is not None:
        return found
    earlier = (
        Contestant.objects.filter(
            revision__language_model=revision.language_model_id, revision__number__lt=revision.number
        )
        .order_by("-revision__number")
        .first()
    )
    contestant, _ = Contestant.objects.get_or_create(
        revision=revision,
        defaults={
            "kind": ContestantKind.LANGUAGE_MODEL,
            "name": revision.language_model.name,
            "version_of": earlier,
        },
    )
    return contestant
