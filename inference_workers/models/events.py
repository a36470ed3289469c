from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from foundation.append_only import AppendOnly
from inference_workers.models.completions import Completion
from inference_workers.models.language_models import LanguageModelRevision


class OutboxEntry(models.Model):
    """News for the apps above: this completion ended. Written in the transaction that ended it."""

    completion = models.OneToOneField(Completion, on_delete=models.CASCADE, related_name="outbox_entry")
    created_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="outbox_unhandled", condition=Q(handled_at__isnull=True))]

    def __str__(self) -> str:
        return f"outbox {self.pk}"


class OperatorEvent(AppendOnly):
    """Who changed a language model or an endpoint, when, and what: values before and after, never a key."""

    subject = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    verb = models.CharField(max_length=40)
    changes = models.JSONField(default=dict)
    # The revision it made, of a language model.
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, null=True, related_name="events")
    # Null where the system itself acted.
    actor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["subject", "subject_id"], name="operator_event_subject")]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.verb}"
