"""A session in which amounts are paid: an endowment, a price that is sealed before the first answer, one draw."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.enums import WorthState
from annotation.models.campaigns import Campaign
from annotation.models.items import Item
from annotation.models.judgments import Judgment
from annotation.models.people import Respondent
from foundation.append_only import AppendOnly


class WorthSession(models.Model):
    """One person's way through instructions, check, practice and items, to the draw.

    `commitment` is the SHA-256 of `seed`, shown when the session starts; `seed` decides the item and the price that
    are drawn, and is not shown before.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="worth_sessions")
    respondent = models.OneToOneField(Respondent, on_delete=models.PROTECT, related_name="worth_session")
    state = models.CharField(max_length=10, choices=WorthState, default=WorthState.CHECK)
    incentive = models.CharField(max_length=20)
    # Which of the campaign's endowments was drawn for this person; null where amounts are only stated.
    endowment = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    currency = models.CharField(max_length=8)
    seed = models.CharField(max_length=64)
    commitment = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(default=0)
    # One for each practice card: {"value": "4.00", "bid": "3.50", "price": "2.10"}.
    practice = models.JSONField(default=list)
    # Mean of (bid - value) / value over the practice cards; about -0.5 for somebody who bids half.
    deviation = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    locked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="paid_session_has_endowment",
                condition=Q(incentive="stated", endowment__isnull=True) | (~Q(incentive="stated") & Q(endowment__gt=0)),
            )
        ]

    def __str__(self) -> str:
        return f"session of respondent {self.respondent_id}"


class Draw(AppendOnly):
    """The one item of a session that counts, its sealed price and what came of it. Anybody can compute it again."""

    session = models.OneToOneField(WorthSession, on_delete=models.PROTECT, related_name="draw")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="+")
    # The judgments that were in the draw, in the order in which the seed counts them.
    candidates = ArrayField(models.BigIntegerField())
    amount = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    price = models.DecimalField(max_digits=16, decimal_places=4)
    bought = models.BooleanField()
    endowment = models.DecimalField(max_digits=16, decimal_places=4)
    payout = models.DecimalField(max_digits=16, decimal_places=4)
    currency = models.CharField(max_length=8)
    seed = models.CharField(max_length=64)
    commitment = models.CharField(max_length=64)
    # Names the receipt in its address, so that whoever holds the link can verify it.
    token = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"draw of session {self.session_id}"


class Delivery(AppendOnly):
    """What was bought was handed over."""

    draw = models.OneToOneField(Draw, on_delete=models.PROTECT, related_name="delivery")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"delivery of draw {self.draw_id}"
