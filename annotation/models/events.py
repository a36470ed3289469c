from django.db import models
from django.db.models.functions import Now

from accounts.models import Person
from foundation.append_only import AppendOnly


class Event(AppendOnly):
    """Who changed which row's state, when and why. The actor is null where the system itself acted."""

    subject = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    verb = models.CharField(max_length=40)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    actor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["subject", "subject_id"], name="event_subject")]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.verb}"
