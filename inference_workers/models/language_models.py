from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inference_workers.enums import Output, Task, Visibility
from inference_workers.models.endpoints import Endpoint


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
    # What one that is a file costs besides, in US dollars: the file, and each second that it plays. A file's length is
    # known when it is there; until then it counts with the longest.
    price_file = models.DecimalField(
        _("price of a file"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    price_second = models.DecimalField(
        _("price of a second of sound or film"),
        max_digits=10,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    longest_seconds = models.PositiveIntegerField(
        _("longest sound or film in seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(4 * 3600)],
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
        constraints = [
            models.CheckConstraint(
                name="priced_seconds_have_an_end",
                condition=Q(price_second__isnull=True) | Q(longest_seconds__isnull=False),
            )
        ]

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
    # Whether its endpoint is told the JSON schema of answers that have one, and not the words alone.
    takes_schema = models.BooleanField(_("takes a JSON schema"), default=False, db_default=False)
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
