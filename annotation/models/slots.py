from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Random

from accounts.models import PersonalText
from annotation.enums import AssignmentState, FlagReason, SlotState
from annotation.models.campaigns import Campaign
from annotation.models.items import Item
from annotation.models.people import Respondent


class Slot(models.Model):
    """One wanted judgment of one item. Slots are rows, so that a quota is met exactly."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="slots")
    # The item's; here so that the open slots of one campaign are one piece of one index.
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="slots")
    number = models.PositiveIntegerField()
    # A random number: items are claimed in an order that nobody chose.
    place = models.FloatField(db_default=Random())
    state = models.CharField(max_length=10, choices=SlotState, default=SlotState.OPEN)
    # Made for one respondent, a check, a repeat or a battle: nothing that the campaign wants of anybody else.
    for_one = models.BooleanField(db_default=False)
    # The item's two contestants by id, the smaller first, so that the open slots of a pair are one piece of one index.
    # Null where the item does not have two different ones.
    pair_low = models.BigIntegerField(null=True)
    pair_high = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="one_slot_per_number")]
        indexes = [
            models.Index(fields=["campaign", "place"], name="slot_open", condition=Q(state=SlotState.OPEN)),
            models.Index(
                fields=["campaign", "pair_low", "pair_high", "place"],
                name="slot_open_pair",
                condition=Q(state=SlotState.OPEN, pair_low__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.number}"


class SlotTally(models.Model):
    """Changes of how many slots of work a campaign wants and how many of those are done, and how many of all its slots
    are claimed or done.

    Their sums are those numbers. A trigger adds a row to each statement that changes slots, and a sweeper adds rows
    together, so that nobody waits for anybody else's claim and counting takes no longer in a large campaign.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    wanted = models.IntegerField()
    taken = models.IntegerField()
    done = models.IntegerField(db_default=0)

    def __str__(self) -> str:
        return f"tally {self.pk}"


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


class WorkTally(models.Model):
    """How much work a respondent has, answered or held. The sum is that number; mostly it is one row.

    A trigger adds to a row that nobody holds, and makes another where there is none, so that nobody waits for anybody.
    What a group has is its members' sum, whoever is a member at that moment.
    """

    # Not checked, as that would wait for whoever holds the respondent, who may wait for an assignment.
    respondent = models.ForeignKey(Respondent, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    given = models.IntegerField()

    def __str__(self) -> str:
        return f"tally {self.pk}"


class Draft(models.Model):
    """What somebody has typed and not yet submitted, sealed under their key. `version` tells a stale tab."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    version = models.PositiveIntegerField(default=1)
    sealed = models.BinaryField()
    saved_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"draft {self.version} of assignment {self.assignment_id}"


class Flag(models.Model):
    """Somebody says that something is wrong with an item."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="flags_raised")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="flags_raised")
    reason = models.CharField(max_length=12, choices=FlagReason)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "respondent"], name="one_flag_per_respondent_and_item")]

    def __str__(self) -> str:
        return f"flag on item {self.item_id}"
