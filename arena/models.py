import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment, Campaign, Impression, Item
from arena.enums import BattleState


class Arena(models.Model):
    """A campaign open to visitors, with battles. Its instrument is the campaign's."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="arena")
    examples = models.JSONField(_("example prompts"), default=list, blank=True)
    max_prompt_chars = models.PositiveIntegerField(
        _("longest prompt in characters"),
        default=4000,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
    )
    max_turns = models.PositiveSmallIntegerField(_("turns per battle"), default=5, validators=[MinValueValidator(1)])
    battles_per_day = models.PositiveIntegerField(_("battles per visitor and day"), default=100)
    max_waiting = models.PositiveIntegerField(
        _("completions waiting before visitors are asked to come back"), default=32
    )
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_arena")
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class Battle(models.Model):
    """A contest of two hidden models on one visitor's prompt. What was answered is its item; the vote is a judgment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="battles")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="battle")
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="battle")
    impression = models.OneToOneField(Impression, on_delete=models.PROTECT, related_name="battle")
    state = models.CharField(max_length=10, choices=BattleState, default=BattleState.ANSWERING)
    # How many turns each side has been asked for; streams and votes name the turn they mean.
    turn_count = models.PositiveSmallIntegerField(default=1)
    # Daily-keyed digest of the client's network, for caps; no address is stored.
    network = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
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
        ]

    def __str__(self) -> str:
        return str(self.id)
