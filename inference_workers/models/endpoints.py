from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from inference_workers.enums import Backend, BreakerState, TokensField


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
