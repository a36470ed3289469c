from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person, PersonalText
from inference_workers.models.language_models import LanguageModelRevision


class Measurement(models.Model):
    """Numbers that a revision gives a text: its embedding, its reward alone, or a score for each class. Those of a
    person's words are sealed under their key, and found by a digest made with it."""

    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="measurements")
    digest = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="measurements")
    dimension = models.PositiveIntegerField()
    # Of classes, what each number is of.
    labels = ArrayField(models.CharField(max_length=80), null=True)
    # Little-endian float32.
    numbers = models.BinaryField(null=True)
    personal_numbers = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "digest"], name="one_measurement_per_text_and_revision"),
            models.CheckConstraint(
                name="numbers_of_people_are_sealed",
                condition=Q(person__isnull=True, numbers__isnull=False, personal_numbers__isnull=True)
                | Q(person__isnull=False, numbers__isnull=True, personal_numbers__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} numbers of revision {self.revision_id}"
