import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models import Assignment, Impression, Item
from arena.enums import BaseChoice, BattleState, Mode
from arena.models.arenas import Arena

# Only what all models have answered comes to these.
OPENED = (BattleState.VOTABLE, BattleState.HELD, BattleState.VOTED)


class Battle(models.Model):
    """A contest of two to four models on a visitor's prompt. What was answered is its item; the vote is a judgment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="battles")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="battle")
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="battle")
    impression = models.OneToOneField(Impression, on_delete=models.PROTECT, related_name="battle")
    state = models.CharField(max_length=10, choices=BattleState, default=BattleState.ANSWERING)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.ANONYMOUS, db_default=Mode.ANONYMOUS)
    # Drawn among models of which each takes pictures: a turn may have one. Else nobody is told which of its models do.
    takes_images = models.BooleanField(default=False, db_default=False)
    # How many turns each side has been asked for; streams and votes name the turn they mean.
    turn_count = models.PositiveSmallIntegerField(default=1)
    # How often all sides were asked anew, over all turns. With the turn it says which answers a form was made for.
    regenerations = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Daily-keyed digest of the client's network, for caps; no address is stored.
    network = models.CharField(max_length=64, blank=True)
    # The conversation that it is a part of: the battle before it, the first of all, how many turns were before it, and
    # whose side's history both share (its position in the item before), by whose choice.
    continues = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="continued_by")
    first = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="later")
    turns_before = models.PositiveSmallIntegerField(default=0, db_default=0)
    base_position = models.PositiveSmallIntegerField(null=True)
    base_choice = models.CharField(max_length=10, choices=BaseChoice, blank=True, db_default="")
    # Files of its answers that its visitor's browser has been sent whole, by their places.
    files_sent = ArrayField(models.CharField(max_length=16), default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now())
    # Once all answers of its current turn are whole: when they may be read, which does not tell when that was.
    opens_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                name="battle_unfinished",
                condition=Q(state__in=["answering", "votable"]),
            ),
            models.Index(fields=["network", "created_at"], name="battle_network"),
            models.Index(fields=["arena", "created_at"], name="battle_flood"),
        ]
        constraints = [
            models.CheckConstraint(
                name="battle_continues_whole",
                condition=Q(
                    continues__isnull=True,
                    first__isnull=True,
                    turns_before=0,
                    base_position__isnull=True,
                    base_choice="",
                )
                | Q(continues__isnull=False, first__isnull=False, turns_before__gt=0, base_position__isnull=False)
                & ~Q(base_choice=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def shows(self, number: int) -> bool:
        """Whether the answers to that turn may be read by whom they were written for: to the current one since it has
        opened. What was stopped before its hour, or is void, shows none, also where all are whole: one of them was held
        back, or nobody is to know that they were.
        """
        if number < self.turn_count - 1 or self.state in OPENED:
            return True
        return self.opens_at is not None and self.answered_at == self.opens_at


class Share(models.Model):
    """A link by which anybody reads a battle. Only the digest of its token is kept: the link is shown once."""

    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, related_name="shares")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["battle"], condition=Q(revoked_at__isnull=True), name="one_open_share_per_battle"
            )
        ]

    def __str__(self) -> str:
        return f"share of battle {self.battle_id}"
