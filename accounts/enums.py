from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ANNOTATOR = "annotator", _("Annotator")
    REVIEWER = "reviewer", _("Reviewer")
    RESEARCHER = "researcher", _("Researcher")
    CAMPAIGN_ADMIN = "campaign_admin", _("Campaign admin")
    OPERATOR = "operator", _("Operator")


class PersonKind(models.TextChoices):
    USER = "user", _("Signed-in user")
    VISITOR = "visitor", _("Anonymous visitor")


class LinkPurpose(models.TextChoices):
    DATA = "data", _("Download everything")
    ERASE = "erase", _("Delete everything")
