from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from annotation.enums import MediaKind
from annotation.models.campaigns import Campaign


class MediaFile(models.Model):
    """An image, a sound or a film of a campaign, known by the SHA-256 of its bytes and checked by its content."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="media")
    kind = models.CharField(max_length=8, choices=MediaKind)
    # What the person's file was called; files of items name media by it.
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    # Name under the media root.
    stored = models.CharField(max_length=255)
    content_type = models.CharField(max_length=80)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    seconds = models.FloatField(null=True)
    # Of a film: where its captions lie under the media root.
    captions = models.CharField(max_length=255, blank=True, default="", db_default="")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        # One content under two names is one file on disk and two rows: items name media by either.
        indexes = [models.Index(fields=["campaign", "sha256"], name="media_content")]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="one_media_file_per_name"),
            models.CheckConstraint(
                name="media_has_its_measures",
                condition=Q(kind="audio") | Q(width__isnull=False, height__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
