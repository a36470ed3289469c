from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotation.enums import DatasetState
from annotation.models.boards import LeaderboardSnapshot
from annotation.models.campaigns import Campaign
from annotation.models.people import Respondent
from foundation.append_only import AppendOnly


class DatasetVersion(models.Model):
    """A frozen export: the log up to `last_sequence`, through the filters, as files. The row is the job."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="dataset_versions")
    number = models.PositiveIntegerField()
    views = models.JSONField(default=list)
    filters = models.JSONField(default=dict)
    last_sequence = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=DatasetState, default=DatasetState.QUEUED)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    error_message = models.TextField(blank=True)
    # Per file: name, rows, bytes, SHA-256. Per view: kept, and dropped by reason.
    files = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    rows_digest = models.CharField(max_length=64, blank=True)
    snapshot = models.ForeignKey(LeaderboardSnapshot, on_delete=models.PROTECT, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_dataset_per_number")]

    def __str__(self) -> str:
        return f"{self.campaign_id} v{self.number}"


class DatasetWithdrawal(AppendOnly):
    """Somebody withdrew whose judgments a version holds: whoever has its files takes these rows out of them."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="withdrawals")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="+")
    judgments = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "respondent"], name="one_withdrawal_per_version_and_respondent")
        ]

    def __str__(self) -> str:
        return f"{self.judgments} judgments of {self.version} withdrawn"
