from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person, PersonalText
from annotation.models import Event, Respondent
from arena.enums import AppealState
from arena.models.arenas import Arena
from inference_workers.models import LanguageModel


class KeptModel(models.Model):
    """A released model in somebody's own set: battles of theirs in that mode draw from it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    arena = models.ForeignKey(Arena, on_delete=models.CASCADE, related_name="+")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "arena", "language_model"], name="one_kept_model_per_person")
        ]

    def __str__(self) -> str:
        return f"kept model {self.pk}"


class BlockAppeal(models.Model):
    """What a visitor says against a block of theirs, once for each, and what an admin decided."""

    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="block_appeals")
    # The event of the block.
    block = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="+")
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=AppealState, default=AppealState.OPEN)
    # What the visitor reads.
    answer = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decided_appeal_has_its_time",
                condition=Q(state=AppealState.OPEN, decided_at__isnull=True)
                | (~Q(state=AppealState.OPEN) & Q(decided_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"appeal of respondent {self.respondent_id}"
