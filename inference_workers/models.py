"""Language models, their revisions, and the completions they are asked for. A completion's row is the job."""

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, PersonalText
from foundation.append_only import AppendOnly
from foundation.media.kinds import MediaKind
from inference_workers.enums import (
    Backend,
    BreakerState,
    CompletionState,
    FinishReason,
    Output,
    Priority,
    Task,
    TokensField,
    Visibility,
)


class Endpoint(models.Model):
    """Where models run: the worker's own process, or an OpenAI-compatible address."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    backend = models.CharField(_("backend"), max_length=20, choices=Backend)
    base_url = models.URLField(_("address"), blank=True, help_text=_("For OpenAI-compatible addresses, ending in /v1."))
    # Sealed for its origin; written through the admin, never readable back.
    sealed_key = models.BinaryField(null=True, editable=False)
    # Over all workers together, as are the limits below; null is no limit.
    capacity = models.PositiveSmallIntegerField(_("completions at once"), default=8, validators=[MinValueValidator(1)])
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    tokens_per_minute = models.PositiveIntegerField(
        _("tokens a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    daily_budget = models.DecimalField(
        _("budget of a day"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    # What its server understands.
    ask_usage = models.BooleanField(_("asks for token counts"), default=True)
    max_tokens_field = models.CharField(
        _("name of the length limit"), max_length=30, choices=TokensField, default=TokensField.MAX_TOKENS
    )
    extra_body = models.JSONField(_("sent along"), default=dict, blank=True)
    timeout_seconds = models.PositiveSmallIntegerField(
        _("time limit in seconds"), default=120, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="openai_endpoint_has_address",
                condition=~Q(backend=Backend.OPENAI) | ~Q(base_url=""),
            )
        ]

    def __str__(self) -> str:
        return self.name


class EndpointGauge(models.Model):
    """What an endpoint may be asked now. Whoever claims of it locks this row first, so that its limits hold for all
    workers together. How many completions run is counted, not kept: a count cannot drift."""

    endpoint = models.OneToOneField(Endpoint, on_delete=models.CASCADE, primary_key=True, related_name="gauge")
    # What is left in the buckets of requests and tokens; null is full.
    requests_left = models.FloatField(null=True)
    tokens_left = models.FloatField(null=True)
    filled_at = models.DateTimeField(db_default=Now())
    # Of the breaker.
    state = models.CharField(max_length=10, choices=BreakerState, default=BreakerState.CLOSED)
    # In a row, while it is closed.
    failures = models.PositiveSmallIntegerField(default=0)
    # How often it was opened since it last answered: each time it stays open for longer.
    openings = models.PositiveSmallIntegerField(default=0)
    opened_until = models.DateTimeField(null=True)
    # Why it was opened last: the code of the failure that did it.
    opened_for = models.CharField(max_length=40, blank=True)
    # The completion that tries an open endpoint.
    probe = models.UUIDField(null=True)
    probed_at = models.DateTimeField(null=True)
    probe_code = models.CharField(max_length=40, blank=True)
    spent_today = models.DecimalField(max_digits=18, decimal_places=10, default=0)
    spent_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_breaker_has_an_end",
                condition=Q(state=BreakerState.CLOSED, opened_until__isnull=True)
                | Q(state__in=[BreakerState.OPEN, BreakerState.HALF_OPEN], opened_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"gauge of endpoint {self.endpoint_id}"


class LanguageModel(models.Model):
    """A servable model under one name. What it answers with is decided by its current revision."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    aliases = models.JSONField(
        _("other names"), default=list, blank=True, help_text=_("Names that would give it away in an answer.")
    )
    organisation = models.CharField(_("organisation"), max_length=80, blank=True)
    licence = models.CharField(_("licence"), max_length=80, blank=True)
    task = models.CharField(_("what it is for"), max_length=10, choices=Task, default=Task.TEXT, db_default=Task.TEXT)
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    # When everybody could first read its name. A trigger writes it where nobody else does, and it stays for good.
    released_at = models.DateTimeField(null=True, editable=False)
    weight = models.FloatField(
        _("sampling weight"), default=1.0, validators=[MinValueValidator(0.0), MaxValueValidator(1000.0)]
    )
    # What the tokens of a completion cost, in US dollars for a million of them; null where nobody said.
    price_read = models.DecimalField(
        _("price of a million tokens read"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    price_written = models.DecimalField(
        _("price of a million tokens written"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    keeps_logprobs = models.BooleanField(
        _("keeps log-probabilities"),
        default=False,
        help_text=_(
            "Of every token that it writes, where its endpoint tells them: some bytes for each. Some endpoints refuse"
            " requests that ask for them."
        ),
    )
    # Battles whose prompt has a picture draw those alone. It changes no answer to a prompt without one.
    takes_images = models.BooleanField(
        _("takes pictures"),
        default=False,
        db_default=False,
        help_text=_("Of people’s prompts, as OpenAI’s image_url; where an arena lets its visitors add one."),
    )
    current = models.OneToOneField(
        "LanguageModelRevision",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="current_of",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def serves(self) -> "LanguageModelRevision":
        """The current revision; ValueError for a model that was never given one."""
        if self.current is None:
            raise ValueError(f"{self.slug} has no revision yet")
        return self.current


class LanguageModelRevision(models.Model):
    """Everything that decides what a model answers. Immutable: a change makes the next number."""

    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="revisions")
    # The name the endpoint knows, or `smollm2` / a folder for the worker's own process.
    provider_model = models.CharField(max_length=200)
    system_prompt = models.TextField(blank=True)
    temperature = models.FloatField(default=0.7, validators=[MinValueValidator(0.0), MaxValueValidator(2.0)])
    top_p = models.FloatField(default=0.95, validators=[MinValueValidator(0.01), MaxValueValidator(1.0)])
    top_k = models.PositiveIntegerField(default=0)
    repetition_penalty = models.FloatField(default=1.0, validators=[MinValueValidator(0.5), MaxValueValidator(2.0)])
    max_tokens = models.PositiveIntegerField(default=256, validators=[MinValueValidator(1)])
    stop = models.JSONField(default=list, blank=True)
    # Whether an answer that the limit ended is shown; otherwise it is asked for anew.
    accepts_cut = models.BooleanField(default=False)
    output = models.CharField(_("answers with"), max_length=8, choices=Output, default=Output.TEXT, db_default="text")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["language_model", "number"], name="one_revision_per_number"),
            models.CheckConstraint(
                name="sampling_within_range",
                condition=Q(temperature__gte=0, temperature__lte=2, top_p__gt=0, top_p__lte=1, max_tokens__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language_model.name} r{self.number}"


class Measurement(models.Model):
    """Numbers that a revision gives a text: its embedding, its reward alone, or a score for each class. Those of a
    person's words are sealed under their key, and found by a digest made with it."""

    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="measurements")
    digest = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="measurements")
    dimension = models.PositiveIntegerField()
    # Of classes, what each number is of.
    labels = ArrayField(models.CharField(max_length=80), null=True)
    # Little-endian float32.
    numbers = models.BinaryField(null=True)
    personal_numbers = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "digest"], name="one_measurement_per_text_and_revision"),
            models.CheckConstraint(
                name="numbers_of_people_are_sealed",
                condition=Q(person__isnull=True, numbers__isnull=False, personal_numbers__isnull=True)
                | Q(person__isnull=False, numbers__isnull=True, personal_numbers__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} numbers of revision {self.revision_id}"


class RuleSet(AppendOnly):
    """House rules as they were at a moment; the same rules are one row. What stands in them is said in
    `policies.house_rules`."""

    digest = models.CharField(max_length=64, primary_key=True)
    rules = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"rule set {self.digest[:12]}"


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


class OutboxEntry(models.Model):
    """News for the apps above: this completion ended. Written in the transaction that ended it."""

    completion = models.OneToOneField(Completion, on_delete=models.CASCADE, related_name="outbox_entry")
    created_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="outbox_unhandled", condition=Q(handled_at__isnull=True))]

    def __str__(self) -> str:
        return f"outbox {self.pk}"


class OperatorEvent(AppendOnly):
    """Who changed a language model or an endpoint, when, and what: values before and after, never a key."""

    subject = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    verb = models.CharField(max_length=40)
    changes = models.JSONField(default=dict)
    # The revision it made, of a language model.
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, null=True, related_name="events")
    # Null where the system itself acted.
    actor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["subject", "subject_id"], name="operator_event_subject")]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id}: {self.verb}"
