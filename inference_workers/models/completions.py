import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Person, PersonalText
from foundation.media.kinds import MediaKind
from inference_workers.enums import CompletionState, FinishReason, Priority, Task
from inference_workers.models.language_models import LanguageModelRevision
from inference_workers.models.measurements import Measurement
from inference_workers.models.rules import RuleSet


class Completion(models.Model):
    """One text asked of one revision, or the measure of one; the row is the job. Celery carries its id alone.

    A worker holds a running row by `lease_token` until `lease_expires_at` (the database's clock) and may write
    a result only while both still match. Texts belonging to a person's prompt are sealed under that person's key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="completions")
    task = models.CharField(max_length=10, choices=Task, default=Task.TEXT, db_default=Task.TEXT)
    # Off where no visitor reads the text, so that no rule for shown texts refuses it.
    screened = models.BooleanField(default=True, db_default=True)
    # Of a measure.
    digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, null=True, related_name="completions")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="completions")
    messages = models.JSONField(null=True)
    personal_messages = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    # How many pictures the messages hold.
    pictures = models.PositiveSmallIntegerField(default=0, db_default=0)
    seed = models.BigIntegerField()
    # What is other than the revision's: temperature, top_p, max_tokens, stop; null where nothing is.
    sampling = models.JSONField(null=True)
    # The JSON schema that its text has to keep; told to endpoints that take one.
    schema = models.JSONField(null=True)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.BATCH)

    state = models.CharField(max_length=10, choices=CompletionState, default=CompletionState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    text = models.TextField(null=True)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    finish_reason = models.CharField(max_length=10, choices=FinishReason, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    # Natural logarithms of what the model gave each token that it wrote, as float32, little-endian; of a person's
    # completion sealed under that person's key. Null where they were not asked for, or are not known.
    logprobs = models.BinaryField(null=True)
    first_token_seconds = models.FloatField(null=True)
    total_seconds = models.FloatField(null=True)
    # In US dollars, of all its attempts, each at the price of its moment; null where no price was known.
    cost = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    # How much of it is the most that an attempt can have cost whose end nobody heard: its worker died.
    estimated_cost = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    # The most that the attempt in hand can cost, at the price of its claim; of a cancelled one, what was charged until
    # its worker tells what it took.
    reserved_cost = models.DecimalField(max_digits=18, decimal_places=10, null=True)
    # Which rules decided what may be shown of it.
    screen_version = models.TextField(null=True)
    # What the house forbids its text, and which of these rules it broke, with what they do; never where or how.
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    house_rules = models.JSONField(null=True)

    created_at = models.DateTimeField(db_default=Now())
    # A retry may have to wait, as an endpoint asked for or because it failed a moment ago.
    claimable_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["priority", "created_at"],
                name="completion_queue",
                condition=Q(state=CompletionState.QUEUED),
            ),
            models.Index(
                fields=["lease_expires_at"],
                name="completion_leases",
                condition=Q(state=CompletionState.RUNNING),
            ),
            # What the estimate of the wait looks back on.
            models.Index(
                fields=["finished_at"],
                name="completion_recent",
                condition=Q(state=CompletionState.SUCCEEDED),
            ),
            # How each model was when somebody looked.
            models.Index(
                fields=["revision", "created_at"],
                name="completion_probes",
                condition=Q(priority=Priority.PROBE),
            ),
            # What the models' pages look back on.
            models.Index(
                fields=["revision", "finished_at"],
                name="completion_ended",
                condition=Q(state__in=[CompletionState.SUCCEEDED, CompletionState.FAILED]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="completion_messages_in_one_place",
                condition=Q(person__isnull=True, messages__isnull=False, personal_messages__isnull=True)
                | Q(person__isnull=False, messages__isnull=True, personal_messages__isnull=False),
            ),
            models.CheckConstraint(
                name="completion_text_in_its_place",
                condition=Q(person__isnull=True, personal_text__isnull=True)
                | Q(person__isnull=False, text__isnull=True),
            ),
            models.CheckConstraint(
                name="running_completion_has_lease",
                condition=Q(state=CompletionState.RUNNING, lease_token__isnull=False, lease_expires_at__isnull=False)
                | (~Q(state=CompletionState.RUNNING) & Q(lease_token__isnull=True, lease_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="succeeded_completion_has_text",
                condition=~Q(state=CompletionState.SUCCEEDED)
                | ~Q(task=Task.TEXT)
                | (Q(text__isnull=False) | Q(personal_text__isnull=False)) & ~Q(finish_reason=""),
            ),
            models.CheckConstraint(
                name="measures_have_a_measurement",
                condition=Q(task=Task.TEXT, digest="", measurement__isnull=True)
                | ~Q(task=Task.TEXT)
                & ~Q(digest="")
                & (~Q(state=CompletionState.SUCCEEDED) | Q(measurement__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["revision", "digest"],
                condition=~Q(task=Task.TEXT) & Q(state__in=[CompletionState.QUEUED, CompletionState.RUNNING]),
                name="one_open_measure_per_text_and_revision",
            ),
            models.CheckConstraint(
                name="failed_completion_says_why",
                condition=~Q(state=CompletionState.FAILED) | ~Q(error_code=""),
            ),
            models.CheckConstraint(name="completion_attempts_bounded", condition=Q(attempt__lte=F("max_attempts"))),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def drawn_with(self) -> dict[str, Any]:
        """The settings that count: the revision's, but for what is other here."""
        names = ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "stop")
        return {name: getattr(self.revision, name) for name in names} | (self.sampling or {})


class CompletionFile(models.Model):
    """The picture, sound or film that a completion is; its text is empty. Checked by its content, without tags, and
    known by the SHA-256 of its bytes."""

    completion = models.OneToOneField(Completion, on_delete=models.CASCADE, related_name="file")
    kind = models.CharField(max_length=8, choices=MediaKind)
    sha256 = models.CharField(max_length=64)
    # Name under the media root.
    stored = models.CharField(max_length=255, db_index=True)
    content_type = models.CharField(max_length=80)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    seconds = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"file of {self.completion_id}"
