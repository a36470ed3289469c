from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from annotation.enums import STANDS_APART, UNCOUNTED, RespondentKind, RespondentState, SourceKind, SourceState
from annotation.models.campaigns import Campaign, ConsentText, GuidelinesVersion


class Source(models.Model):
    """Where a bundle of judgments came from. Retiring one leaves it out of every view; nothing is deleted."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="sources")
    kind = models.CharField(max_length=12, choices=SourceKind)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=SourceState, default=SourceState.ACTIVE)
    # File name, its SHA-256, row count; or the seed and truth of a simulation.
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(kind=SourceKind.LIVE), name="one_live_source_per_campaign"
            ),
            # Whatever reads active sources reads no model judge, and no battle that its visitor arranged.
            models.CheckConstraint(
                name="judges_stand_apart",
                condition=Q(kind__in=STANDS_APART) & ~Q(state=SourceState.ACTIVE)
                | ~Q(kind__in=STANDS_APART) & ~Q(state=SourceState.APART),
            ),
            models.UniqueConstraint(
                fields=["campaign", "kind"],
                condition=Q(kind__in=UNCOUNTED),
                name="one_uncounted_source_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """A link that lets people join a campaign. Only the digest of its token is kept: the link is shown once."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="invitations")
    name = models.CharField(_("name"), max_length=120)
    token_digest = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=12, choices=RespondentKind, default=RespondentKind.ANNOTATOR)
    groups = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    most_uses = models.PositiveIntegerField(_("how many people may use it"), null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invitation_not_used_more_often",
                condition=Q(most_uses__isnull=True) | Q(uses__lte=models.F("most_uses")),
            ),
            models.CheckConstraint(
                name="invitation_for_annotators_or_experts", condition=Q(kind__in=["annotator", "expert"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Respondent(models.Model):
    """Who answered, under a pseudonym that holds within one campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="respondents")
    kind = models.CharField(max_length=12, choices=RespondentKind)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="respondents")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="respondents")
    pseudonym = models.CharField(max_length=64)
    groups = ArrayField(models.CharField(max_length=80), default=list)
    state = models.CharField(
        max_length=12, choices=RespondentState, default=RespondentState.ACTIVE, db_default=RespondentState.ACTIVE
    )
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, null=True, related_name="respondents")
    consent = models.ForeignKey(ConsentText, on_delete=models.PROTECT, null=True, related_name="+")
    consented_at = models.DateTimeField(null=True)
    # Whether what this person writes in their own words may be published.
    releases_texts = models.BooleanField(default=False, db_default=False)
    # Written to every answer's retraction too, so that these can be told from others.
    withdrawn_at = models.DateTimeField(null=True)
    # The newest guidelines this person said to have read.
    guidelines = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # The guidelines under which the qualification test was passed.
    qualified_under = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # Categories of content that this person does not want to meet.
    declined_content = ArrayField(models.CharField(max_length=80), default=list, db_default=[])
    # When a break was last offered, so that it is not offered again at once.
    break_offered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "pseudonym"], name="one_respondent_per_pseudonym"),
            models.UniqueConstraint(
                fields=["campaign", "person"],
                condition=Q(person__isnull=False),
                name="one_respondent_per_person",
            ),
            models.CheckConstraint(
                name="known_respondent_has_person",
                condition=Q(kind__in=["visitor", "annotator", "expert"], person__isnull=False)
                | Q(kind__in=["model_judge", "rule", "imported", "simulated"], person__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym
