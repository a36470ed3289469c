"""What reviewers decide about judgments and items. Every decision is a row that stays; a state says how it stands."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person, PersonalText
from annotation.enums import BatchState, ReviewState, Verdict
from annotation.models.campaigns import Campaign, GuidelinesVersion
from annotation.models.items import Item
from annotation.models.judgments import Judgment
from foundation.append_only import AppendOnly


class Batch(models.Model):
    """Judgments that are accepted or returned together."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.OPEN)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_batch_per_number")]

    def __str__(self) -> str:
        return f"batch {self.number}"


class Review(models.Model):
    """Where the review of one judgment stands. A judgment that nobody looked at has none."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="reviews")
    judgment = models.OneToOneField(Judgment, on_delete=models.PROTECT, related_name="review")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="reviews")
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.PENDING)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["campaign", "state"], name="review_state")]

    def __str__(self) -> str:
        return f"review of judgment {self.judgment_id}"


class ReviewDecision(AppendOnly):
    """What one person decided, or an annotator's appeal, with their words sealed under their own key."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.verdict


class Adjudication(AppendOnly):
    """An expert's judgment that settles an item on which people disagree, and whether they saw the others' first."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="adjudications")
    judgment = models.OneToOneField(Judgment, on_delete=models.PROTECT, related_name="adjudication")
    saw_others = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"adjudication of item {self.item_id}"


class ItemComment(AppendOnly):
    """What somebody who runs or reviews a campaign says about one of its items."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="comments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"comment on item {self.item_id}"


class GuidelineQuestion(models.Model):
    """What an annotator asks about the guidelines. Its answer, as published, becomes part of the next version."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="guideline_questions")
    respondent = models.ForeignKey("Respondent", on_delete=models.PROTECT, related_name="guideline_questions")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="+")
    # In the annotator's own words; what everybody reads is worded by whoever answers.
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, related_name="+")
    published_question = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    # The first version of the guidelines that has the answer; null for one that only the asker reads.
    published_in = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="answers")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="answered_question_has_answer",
                condition=Q(answered_at__isnull=True, answer="") | (Q(answered_at__isnull=False) & ~Q(answer="")),
            )
        ]

    def __str__(self) -> str:
        return f"question {self.pk}"
