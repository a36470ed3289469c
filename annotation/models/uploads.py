from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotation.enums import UploadState
from annotation.models.campaigns import Campaign
from annotation.models.people import Source


class ItemUpload(models.Model):
    """A file of items that somebody uploaded, and what its columns mean. The row is the job that reads it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="uploads")
    name = models.CharField(max_length=255)
    # Name under the data folder's uploads; the file goes when it has been read.
    stored = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    # Column of the file by what it means: {"prompt": "question", "response_1": "gpt", ...}.
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.UPLOADED)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0)
    # Up to a hundred: [{"line": 3, "text": "..."}].
    problems = models.JSONField(default=list)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    items = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
