from django.db import models

from annotation.models.campaigns import Campaign


class CampaignSelection(models.Model):
    """What the selection of a campaign's items goes by: votes, pairs that are out, and pairs with open slots.

    Computed from the log and the slots again and again; nothing is lost with it.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="selection")
    # SHA-256 of `payload` (annotation/selection/known.py), by which a process that holds it knows it.
    digest = models.CharField(max_length=64)
    payload = models.BinaryField()
    votes = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()
    seconds = models.FloatField()  # that computing it took

    def __str__(self) -> str:
        return f"selection of campaign {self.campaign_id}"


class CategorySelection(models.Model):
    """The same of the items of one category alone, where a campaign keeps a state for each; nothing is lost with it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="category_selections")
    category = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    payload = models.BinaryField()
    votes = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "category"], name="one_selection_per_category")]

    def __str__(self) -> str:
        return f"selection of {self.category} in campaign {self.campaign_id}"
