from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from annotation.enums import RespondentKind, SourceKind, SourceState
from annotation.models.campaigns import Campaign


class Source(models.Model):
    """Where a bundle of judgments came from. Retiring one leaves it out of every view; nothing is deleted."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="sources")
    kind = models.CharField(max_length=12, choices=SourceKind)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=SourceState, default=SourceState.ACTIVE)
    # File name, its SHA-256, row count; or the seed and truth of a simulation.
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(kind=SourceKind.LIVE), name="one_live_source_per_campaign"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Respondent(models.Model):
    """Who answered, under a pseudonym that holds within one campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="respondents")
    kind = models.CharField(max_length=12, choices=RespondentKind)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="respondents")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="respondents")
    pseudonym = models.CharField(max_length=64)
    groups = ArrayField(models.CharField(max_length=80), default=list)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "pseudonym"], name="one_respondent_per_pseudonym"),
            models.UniqueConstraint(
                fields=["campaign", "person"],
                condition=Q(person__isnull=False),
                name="one_respondent_per_person",
            ),
            models.CheckConstraint(
                name="known_respondent_has_person",
                condition=Q(kind__in=["visitor", "annotator", "expert"], person__isnull=False)
                | Q(kind__in=["model_judge", "rule", "imported", "simulated"], person__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym
