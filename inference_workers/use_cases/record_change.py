import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import Person
from inference_workers.models import Endpoint, LanguageModel, LanguageModelRevision, OperatorEvent

SUBJECTS = {LanguageModel: "language model", Endpoint: "endpoint"}


def record_change(
    *,
    subject: LanguageModel | Endpoint,
    verb: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: Person | None,
    revision: LanguageModelRevision | None = None,
) -> None:
    """Write who changed what, in the transaction of the change: the values that differ, before and after. Nothing is
    written where nothing changed."""
    differing = {
        name: [_plain(before.get(name)), _plain(value)]
        for name, value in after.items()
        if _plain(before.get(name)) != _plain(value)
    }
    if differing or revision is not None:
        OperatorEvent.objects.create(
            subject=SUBJECTS[type(subject)],
            subject_id=subject.pk,
            verb=verb,
            changes=differing,
            revision=revision,
            actor=actor,
        )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
