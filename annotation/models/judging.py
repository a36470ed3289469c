from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from annotation.enums import GenerationState, JudgedItems, VerdictState
from annotation.models.campaigns import Campaign, Instrument
from annotation.models.items import Item
from annotation.models.judgments import Judgment
from annotation.models.people import Source
from inference_workers.models import Completion, LanguageModelRevision


class Judging(models.Model):
    """A language model that answers a campaign's questions about its items, in both orders. The row is the job; its
    source, which stands apart, holds what it says."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="judgings")
    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="judging")
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="judgings")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    # Of the words around what is judged.
    template_version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=GenerationState, default=GenerationState.RUNNING)
    items = models.CharField(max_length=10, choices=JudgedItems)
    # {"seed": ..., "count": how many items}
    parameters = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="judging_running", condition=Q(state=GenerationState.RUNNING))
        ]

    def __str__(self) -> str:
        return f"judging {self.pk}"


class Verdict(models.Model):
    """What a judging wants of one item in one order, and what came of it. Unreadable twice is failed, never guessed."""

    judging = models.ForeignKey(Judging, on_delete=models.PROTECT, related_name="verdicts")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="verdicts")
    # Whether the responses stand in the opposite of the item's own order.
    swapped = models.BooleanField()
    state = models.CharField(max_length=10, choices=VerdictState, default=VerdictState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    completion = models.OneToOneField(Completion, on_delete=models.PROTECT, null=True, related_name="verdict")
    judgment = models.OneToOneField(Judgment, on_delete=models.PROTECT, null=True, related_name="verdict")
    # Of all its tries, in US dollars; null where no price was known.
    paid = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    # Why it failed, or was asked once more.
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["judging", "item", "swapped"], name="one_verdict_per_item_and_order"),
            models.CheckConstraint(
                name="judged_verdict_has_its_judgment",
                condition=Q(state=VerdictState.JUDGED, judgment__isnull=False)
                | ~Q(state=VerdictState.JUDGED) & Q(judgment__isnull=True),
            ),
            models.CheckConstraint(
                name="asked_verdict_has_a_completion",
                condition=~Q(state=VerdictState.ASKED) | Q(completion__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["judging", "state"], name="verdict_state")]

    def __str__(self) -> str:
        return f"verdict {self.pk}"
