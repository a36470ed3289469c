from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import PersonalFile
from annotation.models import Respondent
from arena.enums import FindingOutcome, JudgedText, ModerationState, OnSilence, Silence
from arena.models.arenas import Arena
from arena.models.battles import Battle
from inference_workers.models import Completion, LanguageModel, LanguageModelRevision


class Moderator(models.Model):
    """The language model that is shown what an arena's visitors write and its models answer, beside the house rules."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, primary_key=True, related_name="moderator")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    # The least score of a class that stops a text; null for a class that never does. "*" is every class not named.
    limits = models.JSONField()
    wait_seconds = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(20)])
    # Pictures too: those that visitors add, and answers that are images. Sounds and films it is never shown.
    takes_images = models.BooleanField(default=False, db_default=False)
    on_silence = models.CharField(max_length=12, choices=OnSilence)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="moderator_waits", condition=Q(wait_seconds__gte=1, wait_seconds__lte=20))
        ]

    def __str__(self) -> str:
        return f"moderator of arena {self.arena_id}"


class Moderation(models.Model):
    """One text that was shown to a moderation model, with or without a picture: what it said, under which limits, and
    what became of the text; never the text. An answer may be a picture alone."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="moderations")
    about = models.CharField(max_length=8, choices=JudgedText)
    state = models.CharField(max_length=12, choices=ModerationState, default=ModerationState.ASKED)
    # The model as it was, and the measure's digest.
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    limits = models.JSONField()
    # By class, in thousandths rounded; and the classes that reached their limits.
    scores = models.JSONField(null=True)
    found = ArrayField(models.CharField(max_length=80), default=list)
    silence = models.CharField(max_length=8, choices=Silence, blank=True, default="")
    with_picture = models.BooleanField(default=False, db_default=False)
    # A visitor's picture while the model looks at it; a battle keeps its own.
    picture = models.OneToOneField(PersonalFile, on_delete=models.SET_NULL, null=True, related_name="+")
    # As a finding of a house rule.
    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, null=True, related_name="moderations")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, null=True, related_name="+")
    completion = models.OneToOneField(Completion, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # What an admin made of a text that it stopped.
    outcome = models.CharField(max_length=12, choices=FindingOutcome, blank=True, db_default="")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["arena", "asked_at"], name="moderation_recent"),
            models.Index(
                fields=["revision", "digest"], name="moderation_open", condition=Q(state=ModerationState.ASKED)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="moderation_of_an_answer_names_it",
                condition=Q(about="answer", completion__isnull=False)
                | (~Q(about="answer") & Q(completion__isnull=True)),
            ),
            models.CheckConstraint(
                name="moderation_looked_at_was_stopped",
                condition=Q(outcome="", looked_at__isnull=True)
                | (~Q(outcome="") & Q(looked_at__isnull=False, state=ModerationState.STOPPED)),
            ),
            models.CheckConstraint(
                name="moderation_keeps_a_picture_while_asked",
                condition=Q(picture__isnull=True) | Q(state=ModerationState.ASKED, with_picture=True),
            ),
            models.CheckConstraint(
                name="ended_moderation_has_its_time",
                condition=Q(state=ModerationState.ASKED, ended_at__isnull=True)
                | (~Q(state=ModerationState.ASKED) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="moderation_has_scores_or_says_why_not",
                condition=Q(
                    state__in=[ModerationState.PASSED, ModerationState.STOPPED], scores__isnull=False, silence=""
                )
                | Q(state__in=[ModerationState.LET_THROUGH, ModerationState.HELD_BACK]) & ~Q(silence="")
                | Q(state__in=[ModerationState.ASKED, ModerationState.DROPPED]),
            ),
        ]

    def __str__(self) -> str:
        return f"moderation {self.pk}"

    @property
    def reached(self) -> list[tuple[str, float]]:
        """The classes that reached their limits, with their scores."""
        return [(name, (self.scores or {})[name]) for name in self.found]
