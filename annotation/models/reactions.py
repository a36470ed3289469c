from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.enums import ReactionKind
from annotation.models.items import Turn
from annotation.models.people import Respondent
from foundation.append_only import AppendOnly


class Reaction(AppendOnly):
    """Somebody said something of one answer, or took it back: of each kind the last row holds."""

    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="reactions")
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="reactions")
    # Which of the turn's answers it is about: how often it had been asked anew.
    regenerations = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=ReactionKind)
    is_set = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["turn", "respondent"], name="reaction_turn")]
        constraints = [
            models.CheckConstraint(
                name="reaction_kind_known", condition=Q(kind__in=[each.value for each in ReactionKind])
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.is_set else ' no more'}"
