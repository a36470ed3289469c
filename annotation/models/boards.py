from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.enums import Method
from annotation.models.campaigns import Campaign
from annotation.models.items import Contestant
from foundation.append_only import AppendOnly


class Board(models.Model):
    """A named slice of the log with a method. Its results are numbered snapshots."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="boards")
    method = models.CharField(_("method"), max_length=20, choices=Method, default=Method.BRADLEY_TERRY)
    # Which rows, by the fields of annotation.boards.slices; empty takes the whole campaign.
    slice = models.JSONField(default=dict, blank=True)
    # The board whose slice this is; null for a board of its own.
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="slices")
    is_public = models.BooleanField(_("public"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Equal JSON is equal here however its keys were ordered.
            models.UniqueConstraint(fields=["parent", "slice"], name="one_board_per_parent_and_slice"),
            models.CheckConstraint(name="slice_of_a_board_is_a_part", condition=Q(parent__isnull=True) | ~Q(slice={})),
        ]

    def __str__(self) -> str:
        return self.name


class LeaderboardSnapshot(AppendOnly):
    """One fit, frozen: canonical JSON of the standings, and everything needed to compute it again."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField()
    method = models.CharField(max_length=20, choices=Method)
    code_version = models.CharField(max_length=40)
    slice = models.JSONField(default=dict)
    # The log up to this sequence, without these sources.
    last_sequence = models.BigIntegerField()
    retired_sources = models.JSONField(default=list)
    judgments = models.PositiveIntegerField()
    standings = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    # In memory alone: whether `annotation.boards.named_as_now` has put other names in.
    is_renamed = False

    class Meta:
        constraints = [models.UniqueConstraint(fields=["board", "number"], name="one_snapshot_per_number")]
        # By day: the newest as it ended.
        indexes = [models.Index(fields=["board", "-created_at"], name="snapshots_by_day")]

    def __str__(self) -> str:
        return f"{self.board_id} #{self.number}"


class LiveBoard(models.Model):
    """Where a board's counts have got to, and the points they give: what moves between two snapshots."""

    board = models.OneToOneField(Board, on_delete=models.CASCADE, related_name="live")
    last_sequence = models.BigIntegerField(default=0, db_default=0)
    # What else the counts depend on; where that changes they are counted anew.
    rests_on = models.JSONField(default=dict)
    # By contestant's id; empty where nothing compares two of them.
    points = models.JSONField(default=dict)
    comparisons = models.PositiveBigIntegerField(default=0, db_default=0)
    # Another with each change of the counts: by it a process knows whether those that it holds are still these.
    counted = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.board_id} at {self.last_sequence}"


class PairCount(models.Model):
    """Votes of a board that showed one contestant as A and one as B, by what they said."""

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="+")
    a = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")
    b = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")
    a_wins = models.PositiveIntegerField()
    b_wins = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    both_bad = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["board", "a", "b"], name="one_count_per_board_and_order")]

    def __str__(self) -> str:
        return f"{self.a_id} beside {self.b_id}"
