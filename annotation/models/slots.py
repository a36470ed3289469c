from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.enums import AssignmentState, SlotState
from annotation.models.items import Item
from annotation.models.people import Respondent


class Slot(models.Model):
    """One wanted judgment of one item. Slots are rows, so that a quota is met exactly."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="slots")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=SlotState, default=SlotState.OPEN)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="one_slot_per_number")]
        indexes = [models.Index(fields=["item"], name="slot_open", condition=Q(state=SlotState.OPEN))]

    def __str__(self) -> str:
        return f"slot {self.number}"


class Assignment(models.Model):
    """One respondent's leased claim on one slot. `lease_token` is the fence: a late writer has an old one."""

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="assignments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=AssignmentState, default=AssignmentState.OPEN)
    lease_token = models.UUIDField()
    lease_expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # A person meets an item once; what expired may be claimed again.
            models.UniqueConstraint(
                fields=["respondent", "item"],
                condition=~Q(state=AssignmentState.EXPIRED),
                name="one_assignment_per_respondent_and_item",
            ),
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(state__in=[AssignmentState.OPEN, AssignmentState.SUBMITTED]),
                name="one_holder_per_slot",
            ),
        ]
        indexes = [
            models.Index(fields=["lease_expires_at"], name="assignment_leases", condition=Q(state=AssignmentState.OPEN))
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"
