from datetime import datetime

from django.db import IntegrityError, transaction

from annotation.enums import UNCOUNTED, SourceKind, SourceState
from annotation.models import Campaign, Source


def open_uncounted_source(*, campaign: Campaign, kind: SourceKind, now: datetime) -> Source:
    """The campaign's source of that kind, made on first need: what belongs to it stands apart, and counts nowhere but
    where somebody asks for it. Two who come first get the same.
    """
    if kind not in UNCOUNTED:
        raise ValueError(f"{kind} is counted")
    found = Source.objects.filter(campaign=campaign, kind=kind).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Source.objects.create(
                campaign=campaign,
                kind=kind,
                name=str(kind.label),
                state=SourceState.APART,
                details={"opened_at": now.isoformat()},
            )
    except IntegrityError:
        return Source.objects.get(campaign=campaign, kind=kind)
