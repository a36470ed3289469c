from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotation.enums import TurnKind
from annotation.models import MediaFile, Turn
from annotation.use_cases.remove_unnamed import remove_unnamed
from annotation.use_cases.take_file import NAMED
from inference_workers.models import CompletionFile


def forget_files(*, person_ids: Collection[UUID]) -> int:
    """Remove what models made for people who were erased, in the caller's transaction and after their erasure; how
    many. Of what was judged the turns stay, without their files. A file that somebody else has too stays theirs.
    """
    files = CompletionFile.objects.filter(completion__person__in=person_ids)
    stored = list(set(files.values_list("stored", flat=True)))
    if not stored:
        return 0
    turns = Turn.objects.filter(kind=TurnKind.FILE, completion__person__in=person_ids)
    turns.update(kind=TurnKind.COMPLETION, file="")
    files.delete()
    shown = Turn.objects.filter(file=OuterRef("stored"), response__item__campaign=OuterRef("campaign"))
    MediaFile.objects.filter(~Exists(shown), stored__in=stored, name__startswith=NAMED).delete()
    transaction.on_commit(lambda: remove_unnamed(stored=stored), robust=True)
    return len(stored)
