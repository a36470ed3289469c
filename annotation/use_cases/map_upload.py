from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.enums import ItemPurpose, UploadState
from annotation.errors import AnnotationError
from annotation.imports.item_campaign import wrong_columns
from annotation.imports.item_columns import ItemColumns
from annotation.imports.item_spool import peek_columns
from annotation.imports.uploads import upload_path
from annotation.models import ItemUpload
from annotation.use_cases.record_event import record_event


class UploadTaken(AnnotationError):
    """The upload is being read, or has been: its columns stay as they are."""


class BadMapping(AnnotationError):
    """The columns cannot be meant so; `problems` says why."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def map_upload(*, upload_id: int, columns: ItemColumns, actor: User, now: datetime) -> ItemUpload:
    """Remember what somebody says the columns of an uploaded file mean. Raises BadMapping or UploadTaken."""
    with transaction.atomic():
        upload = ItemUpload.objects.select_for_update(of=["self"]).select_related("campaign").get(pk=upload_id)
        if upload.state not in {UploadState.UPLOADED, UploadState.FAILED}:
            raise UploadTaken(f"{upload.name} is {upload.state}")
        known = peek_columns(upload_path(upload)).samples
        problems = wrong_columns(columns, known=known, responses=upload.campaign.responses_per_item)
        if columns.default_purpose not in ItemPurpose.values:
            problems.append("items cannot be for that")
        if problems:
            raise BadMapping(problems)
        if upload.mapping != columns.to_json():
            upload.mapping = columns.to_json()
            upload.save(update_fields=["mapping"])
            person = person_of_user(user=actor, now=now)
            record_event(subject=upload, verb="mapped", actor=person, data={"mapping": upload.mapping})
    return upload
