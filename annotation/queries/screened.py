"""Why somebody was screened out, in words for them, and what they are paid for having come."""

from dataclasses import dataclass
from decimal import Decimal

from annotation.enums import EntryKind, ItemPurpose, WorthState
from annotation.models import Assignment, LedgerEntry, Respondent, WorthSession


@dataclass(frozen=True)
class ScreenedOut:
    """`by` is "check", "test" or "attention"; `amount` is None where the campaign pays nothing for coming."""

    by: str
    amount: Decimal | None
    currency: str


def screened_out(respondent: Respondent) -> ScreenedOut:
    entry = LedgerEntry.objects.filter(kind=EntryKind.SCREEN_OUT, respondent=respondent).order_by("-pk").first()
    return ScreenedOut(_by(respondent), entry.amount if entry else None, entry.currency if entry else "")


def _by(respondent: Respondent) -> str:
    if WorthSession.objects.filter(respondent=respondent, state=WorthState.ENDED).exists():
        return "check"
    tested = Assignment.objects.filter(respondent=respondent, item__purpose=ItemPurpose.QUALIFICATION).exists()
    return "test" if tested and respondent.qualified_under_id is None else "attention"
