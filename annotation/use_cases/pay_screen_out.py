from annotation.enums import EntryKind
from annotation.models import LedgerEntry, Respondent
from annotation.queries.earnings import PAID_KINDS
from annotation.use_cases.record_entry import record_entry
from foundation.database import database_now


def pay_screen_out(respondent: Respondent) -> LedgerEntry | None:
    """Owe a respondent under lock what their campaign pays for a screen-out, beside the fees of what they judged.

    None where it pays nothing, or paid it before: who may work again and is screened out anew is not paid twice.
    """
    pay, currency = respondent.campaign.screen_out_pay, respondent.campaign.pay_currency
    paid = LedgerEntry.objects.filter(kind=EntryKind.SCREEN_OUT, respondent=respondent)
    if not pay or respondent.kind not in PAID_KINDS or paid.exists():
        return None
    return record_entry(
        respondent=respondent, kind=EntryKind.SCREEN_OUT, amount=pay, currency=currency, now=database_now()
    )
