"""What is owed to people and what was paid. Entries are written once; a mistake is reversed by another entry."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person
from annotation.enums import EntryKind
from annotation.models.campaigns import Campaign
from annotation.models.judgments import Judgment
from annotation.models.people import Respondent
from annotation.models.worth import Draw
from foundation.append_only import AppendOnly


class LedgerEntry(AppendOnly):
    """One amount owed to one person, or taken back. What somebody earned is the sum of their entries."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="ledger")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=12, choices=EntryKind)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=8)
    reason = models.CharField(max_length=300, blank=True)
    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, null=True, related_name="ledger")
    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, null=True, related_name="ledger")
    reversal_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["judgment"], condition=Q(kind="fee"), name="one_fee_per_judgment"),
            models.UniqueConstraint(fields=["draw"], condition=Q(kind="draw"), name="one_payout_per_draw"),
            models.UniqueConstraint(
                fields=["respondent"], condition=Q(kind="screen_out"), name="one_screen_out_pay_per_respondent"
            ),
            models.CheckConstraint(
                name="entry_names_what_it_is_for",
                condition=~Q(kind__in=["fee", "draw", "reversal"])
                | Q(kind="fee", judgment__isnull=False)
                | Q(kind="draw", draw__isnull=False)
                | Q(kind="reversal", reversal_of__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class Payout(AppendOnly):
    """A file for payment: everything that was owed and not in an earlier file, by person, in whole cents."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="payouts")
    number = models.PositiveIntegerField()
    currency = models.CharField(max_length=8)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_payout_per_number")]

    def __str__(self) -> str:
        return f"payout {self.number}"


class PayoutLine(AppendOnly):
    """What one person gets with one file."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="lines")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="payout_lines")
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["payout", "respondent"], name="one_line_per_person_and_payout")]

    def __str__(self) -> str:
        return f"{self.amount}"


class PaidEntry(AppendOnly):
    """An entry is in one line of one file, so that nothing is paid twice."""

    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="paid")
    line = models.ForeignKey(PayoutLine, on_delete=models.PROTECT, related_name="entries")

    def __str__(self) -> str:
        return f"entry {self.entry_id}"


class Payment(AppendOnly):
    """Somebody says that a file was paid, with the reference that the payer gave."""

    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, related_name="payment")
    reference = models.CharField(max_length=200)
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    paid_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference
