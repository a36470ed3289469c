from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from annotation.enums import GenerationKind, GenerationState
from annotation.models.campaigns import Campaign
from annotation.models.people import Source


class Generation(models.Model):
    """Items whose responses the workers write, or gold items made from responses there are. The row is the job."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="generations")
    kind = models.CharField(max_length=10, choices=GenerationKind, default=GenerationKind.RESPONSES)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="generations")
    state = models.CharField(max_length=10, choices=GenerationState, default=GenerationState.RUNNING)
    # Contestants among whom each prompt's responses are drawn; empty for gold.
    contestants = ArrayField(models.BigIntegerField(), default=list)
    # {"seed": ..., "pairs": "balanced", "prompts": 9, "responses": 2, "samples": 3, "design": "matched", "own": false,
    # "settings": [{"name": "cold", "temperature": 0.2}]} or {"ways": ["truncated"], "count": 20, "seed": ...}
    parameters = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="generation_running", condition=Q(state=GenerationState.RUNNING))
        ]

    def __str__(self) -> str:
        return f"generation {self.pk}"
