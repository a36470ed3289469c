from django.db import models
from django.utils.translation import gettext_lazy as _


class BattleState(models.TextChoices):
    ANSWERING = "answering", _("The models are answering")
    VOTABLE = "votable", _("Waiting for the vote")
    VOTED = "voted", _("Voted")
    ABANDONED = "abandoned", _("Left without a vote")
    VOID = "void", _("Void")
