from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.enums import CampaignState
from foundation.append_only import AppendOnly


class Campaign(models.Model):
    """A set of items and the instrument they are judged with. An arena is a campaign that never closes."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    purpose = models.TextField(_("purpose"), blank=True)
    state = models.CharField(max_length=10, choices=CampaignState, default=CampaignState.DRAFT)
    instrument = models.ForeignKey("Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    guidelines = models.ForeignKey("GuidelinesVersion", on_delete=models.PROTECT, null=True, related_name="+")
    overlap = models.PositiveSmallIntegerField(
        _("judgments per item"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    lease_seconds = models.PositiveIntegerField(_("lease in seconds"), default=3600)
    currency = models.CharField(_("unit of amounts"), max_length=8, default="USD")
    policy = models.CharField(_("selection policy"), max_length=40, default="uniform")
    policy_parameters = models.JSONField(default=dict, blank=True)
    # Wrapped; gives this campaign's pseudonyms, so that nobody can be followed from one campaign to another.
    wrapped_key = models.BinaryField()
    # A dry run's shadow is left out of boards and exports.
    shadow_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="shadows")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

    @property
    def asks(self) -> "Instrument":
        """The current instrument; ValueError before the first is published."""
        if self.instrument is None:
            raise ValueError(f"campaign {self.slug} has no instrument yet")
        return self.instrument


class GuidelinesVersion(AppendOnly):
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="guidelines_versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_guidelines_per_number")]

    def __str__(self) -> str:
        return f"guidelines {self.number}"


class Instrument(AppendOnly):
    """A frozen, ordered list of questions; `digest` is the SHA-256 of their canonical JSON."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="instruments")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_instrument_per_number")]

    def __str__(self) -> str:
        return f"instrument {self.number}"


class Question(AppendOnly):
    """One thing asked about an item. `type` names a folder under `annotation/questions/`."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="questions")
    position = models.PositiveSmallIntegerField()
    name = models.SlugField(max_length=40)
    type = models.CharField(max_length=40)
    title = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=True)
    settings = models.JSONField(default=dict)
    # Share of impressions in which it is asked at all; the draw is stored on the impression.
    ask_probability = models.FloatField(default=1.0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "position"], name="one_question_per_position"),
            models.UniqueConstraint(fields=["instrument", "name"], name="one_question_per_name"),
            models.CheckConstraint(
                name="ask_probability_in_range", condition=Q(ask_probability__gt=0, ask_probability__lte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name
