from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import PersonalText
from annotation.enums import ContestantKind, ItemPurpose, ItemState, LabelKind, PromptLength, TurnKind
from annotation.models.campaigns import Campaign, GuidelinesVersion
from annotation.models.generations import Generation
from annotation.models.people import Source
from foundation.append_only import AppendOnly
from inference_workers.models import Completion, LanguageModelRevision

TEXT_IN_ONE_PLACE = Q(messages__isnull=False, personal_text__isnull=True) | Q(
    messages__isnull=True, personal_text__isnull=False
)


class Contestant(models.Model):
    """What a board ranks: a language model at a revision, or a name that came with an import."""

    kind = models.CharField(max_length=16, choices=ContestantKind)
    name = models.CharField(_("name"), max_length=200)
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, null=True, related_name="contestants")
    # Settings that somebody said make a contestant of their own: what differs from the revision's, and what they are
    # called. Empty for the revision as it is.
    settings_name = models.CharField(max_length=40, blank=True, default="", db_default="")
    sampling = models.JSONField(null=True)
    sampling_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    # An imported name means what it means in its own campaign; merging says that two mean the same.
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, related_name="imported_contestants")
    version_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="versions")
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged_from")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "name"],
                condition=Q(kind="imported"),
                name="one_imported_contestant_per_name",
            ),
            models.UniqueConstraint(
                fields=["revision", "sampling_digest"],
                condition=Q(revision__isnull=False),
                name="one_contestant_per_settings",
            ),
            models.UniqueConstraint(
                fields=["revision", "settings_name"],
                condition=Q(revision__isnull=False),
                name="one_contestant_per_settings_name",
            ),
            models.CheckConstraint(
                name="contestant_settings_are_whole",
                condition=Q(settings_name="", sampling__isnull=True, sampling_digest="")
                | (~Q(settings_name="") & Q(sampling__isnull=False, revision__isnull=False) & ~Q(sampling_digest="")),
            ),
            models.CheckConstraint(
                name="contestant_is_model_or_import",
                condition=Q(kind="language_model", revision__isnull=False, campaign__isnull=True)
                | Q(kind="imported", revision__isnull=True, campaign__isnull=False),
            ),
            models.CheckConstraint(
                name="contestant_not_merged_into_itself",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def served(self) -> LanguageModelRevision:
        """The revision behind a language model; ValueError for an imported name."""
        if self.revision is None:
            raise ValueError(f"{self.name} is an imported name, no language model")
        return self.revision


class Prompt(models.Model):
    """Chat messages that are asked. A person's own words are sealed under their key (JSON of the messages)."""

    messages = models.JSONField(null=True)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    # Keyed digest of the canonical messages: equal prompts meet, and an erased text cannot be guessed from it.
    digest = models.CharField(max_length=64, db_index=True)
    language = models.CharField(max_length=12, blank=True)
    # Kept when it is written, since the words may be erased; empty until the workers have seen an imported one.
    length = models.CharField(max_length=10, choices=PromptLength, blank=True, default="", db_default="")
    # The versions of rules, detector and bands that the workers have labelled it with; they look for those that differ.
    labelled_under = models.CharField(max_length=80, blank=True, db_default="", db_index=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(name="prompt_text_in_one_place", condition=TEXT_IN_ONE_PLACE)]

    def __str__(self) -> str:
        return f"prompt {self.pk}"


class PromptLabel(AppendOnly):
    """What a version of rules, or of a detector, says of a prompt: labels alone, never a word of it."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="labels")
    kind = models.CharField(max_length=10, choices=LabelKind)
    version = models.CharField(max_length=80)
    labels = ArrayField(models.CharField(max_length=40), default=list)
    # How sure, where that is known.
    confidence = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "kind", "version"], name="one_label_per_version")]

    def __str__(self) -> str:
        return f"{self.kind} of prompt {self.prompt_id}"


class Item(models.Model):
    """One unit to judge: a prompt and its responses. `prompt` is null where an import did not give it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="items")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="items")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, null=True, related_name="items")
    # The importer's own name of the prompt; equal keys are one cluster when intervals are computed.
    prompt_key = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=120, blank=True)
    flags = ArrayField(models.CharField(max_length=80), default=list)
    language = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.FILLING)
    purpose = models.CharField(
        max_length=14, choices=ItemPurpose, default=ItemPurpose.WORK, db_default=ItemPurpose.WORK
    )
    # What a right answer is: [{"question": name, "values": [marks, any of which is right]}]. Sides are by position
    # of the responses, not as shown.
    expected = models.JSONField(null=True)
    explanation = models.TextField(blank=True, db_default="")
    # Categories of content that people are warned of.
    warnings = ArrayField(models.CharField(max_length=80), default=list, db_default=[])
    # The test under these guidelines; null for the campaign's first.
    test_of = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="+")
    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, null=True, related_name="items")
    # How the workers made a gold item: {"way": "truncated", "item": 12, "position": 0}.
    made = models.JSONField(null=True)
    repeat_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="repeats")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        # Checks are few among very many items, and looked for with every claim.
        indexes = [
            models.Index(fields=["campaign", "purpose"], name="item_checks", condition=~Q(purpose=ItemPurpose.WORK)),
            models.Index(fields=["generation", "state"], name="item_made", condition=Q(generation__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="checked_item_has_expectation",
                condition=~Q(purpose__in=["gold", "attention", "qualification"]) | Q(expected__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"


class FollowUp(models.Model):
    """What the person said next; turn `number` of every response answers it. Turn 0 answers the prompt."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="follow_ups")
    number = models.PositiveSmallIntegerField()
    messages = models.JSONField(null=True)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="one_follow_up_per_number"),
            models.CheckConstraint(name="follow_up_number_positive", condition=Q(number__gte=1)),
            models.CheckConstraint(name="follow_up_text_in_one_place", condition=TEXT_IN_ONE_PLACE),
        ]

    def __str__(self) -> str:
        return f"follow-up {self.number}"


class Response(models.Model):
    """One contestant's side of an item, as an ordered list of turns. `position` is canonical, not the order shown."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="responses")
    position = models.PositiveSmallIntegerField()
    contestant = models.ForeignKey(Contestant, on_delete=models.PROTECT, null=True, related_name="responses")
    # Which of a contestant's samples of the prompt it is; responses of a generation that agree in this too are one
    # completion.
    sample = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Keyed digest over the turns, written when the item freezes.
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["item", "position"], name="one_response_per_position")]

    def __str__(self) -> str:
        return f"response {self.position}"


class Turn(models.Model):
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="turns")
    number = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=TurnKind)
    # In a generation of several samples one completion stands in several items.
    completion = models.ForeignKey(
        Completion, on_delete=models.PROTECT, null=True, related_name="turns", related_query_name="turn"
    )
    text = models.TextField(null=True)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    # Name under the media root; checked by content when it is written.
    file = models.CharField(max_length=255, blank=True)
    # How often a failed completion of this turn was replaced.
    replacements = models.PositiveSmallIntegerField(default=0)
    # How often the person asked all sides anew; what was said before are its earlier turns.
    regenerations = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["response", "number"], name="one_turn_per_number"),
            models.CheckConstraint(
                name="turn_content_fits_kind",
                condition=Q(kind="completion", completion__isnull=False, text__isnull=True, file="")
                | (
                    Q(kind="text", completion__isnull=True, file="")
                    & (Q(text__isnull=False) ^ Q(personal_text__isnull=False))
                )
                # With its completion where a language model answered with the file.
                | (Q(kind="file", text__isnull=True) & ~Q(file=""))
                | Q(
                    kind="absent",
                    completion__isnull=True,
                    text__isnull=True,
                    personal_text__isnull=True,
                    file="",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"turn {self.number}"

    @property
    def job(self) -> Completion:
        """The completion of a turn of that kind; ValueError for a text, a file or nothing."""
        if self.completion is None:
            raise ValueError(f"turn {self.pk} is {self.kind}, no completion")
        return self.completion


class EarlierTurn(AppendOnly):
    """What a side had said for a turn before all sides were asked anew. What is judged is the turn itself."""

    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="earlier")
    number = models.PositiveSmallIntegerField()
    completion = models.OneToOneField(Completion, on_delete=models.PROTECT, related_name="earlier_turn")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["turn", "number"], name="one_earlier_turn_per_number")]

    def __str__(self) -> str:
        return f"what stood before, {self.number}"
