from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import PersonalText
from annotation.enums import Participation
from annotation.models.campaigns import Campaign
from annotation.models.people import Invitation, Respondent


class Study(models.Model):
    """A study of a recruitment service that sends people into a campaign and takes a code for how they leave it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="studies")
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT, related_name="study")
    external_id = models.CharField(_("study id"), max_length=80)
    completion_code = models.CharField(_("completion code"), max_length=40)
    screen_out_code = models.CharField(_("code of a screen-out"), max_length=40)
    over_quota_code = models.CharField(_("code of a full study"), max_length=40)
    # Judgments after which somebody is done; null for as many as the campaign gives.
    judgments = models.PositiveIntegerField(_("judgments per person"), null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "external_id"], name="one_study_per_id_and_campaign")
        ]

    def __str__(self) -> str:
        return self.external_id


class StudyParticipant(models.Model):
    """Somebody whom a study sent. Their id there is sealed under their key; the digest finds them again."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    # Null where the study was full when they came.
    respondent = models.OneToOneField(Respondent, on_delete=models.PROTECT, null=True, related_name="participant")
    digest = models.CharField(max_length=64)
    participant_id = models.ForeignKey(PersonalText, on_delete=models.PROTECT, null=True, related_name="+")
    session_id = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=12, choices=Participation, default=Participation.STARTED)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "digest"], name="one_participant_per_study")]

    def __str__(self) -> str:
        return f"participant {self.pk}"
