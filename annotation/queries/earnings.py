"""What an annotator has earned, and where the money is."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Person
from annotation.enums import RespondentKind
from annotation.models import LedgerEntry, PayoutLine, Respondent

PAID_KINDS = [RespondentKind.ANNOTATOR.value, RespondentKind.EXPERT.value]
# A person's first answer about an item, not a correction of one. What was taken back within a minute is none; what was
# answered in its place is. `j` is the judgment.
FIRST_ANSWER = """
    j.kind = 'answer' AND NOT EXISTS (
        SELECT 1 FROM annotation_judgment u WHERE u.supersedes_id = j.id AND u.kind = 'undone')
    AND (j.supersedes_id IS NULL OR EXISTS (
        SELECT 1 FROM annotation_judgment u WHERE u.id = j.supersedes_id AND u.kind = 'undone'))
"""
# What owes a fee that is not written: a person's first judgment of an assignment, whatever its item is for. `c` is its
# campaign, `r` who gave it. A rejection, which takes two reviewers, is the only thing that withholds one.
UNWRITTEN = f"""
    {FIRST_ANSWER} AND j.assignment_id IS NOT NULL
    AND r.kind = ANY(%(kinds)s) AND c.pay_per_judgment > 0
    AND NOT EXISTS (SELECT 1 FROM annotation_ledgerentry e WHERE e.judgment_id = j.id AND e.kind = 'fee')
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n JOIN annotation_review v ON v.judgment_id = n.id
        WHERE n.assignment_id = j.assignment_id AND v.state IN ('rejected', 'appealed'))
"""  # noqa: S608 (constants)
OWING = """
FROM annotation_judgment j
JOIN annotation_respondent r ON r.id = j.respondent_id JOIN annotation_campaign c ON c.id = j.campaign_id
"""
# Fees are written every minute; what was judged since counts already.
EARNED = f"""
SELECT c.slug, m.currency, sum(m.owed), sum(m.approved), sum(m.filed), sum(m.paid) FROM (
    SELECT e.respondent_id, e.currency, e.amount AS owed,
        CASE WHEN e.kind = 'fee' AND NOT EXISTS (SELECT 1 FROM annotation_judgment n
                JOIN annotation_review v ON v.judgment_id = n.id
                WHERE n.assignment_id = j.assignment_id AND v.state = 'approved') THEN 0
            WHEN b.kind IN ('fee', 'reversal') THEN 0 ELSE e.amount END AS approved,
        CASE WHEN l.id IS NOT NULL AND y.id IS NULL THEN e.amount ELSE 0 END AS filed,
        CASE WHEN y.id IS NOT NULL THEN e.amount ELSE 0 END AS paid
    FROM annotation_ledgerentry e
    LEFT JOIN annotation_judgment j ON j.id = e.judgment_id
    LEFT JOIN annotation_ledgerentry b ON b.id = e.reversal_of_id
    LEFT JOIN annotation_paidentry p ON p.entry_id = e.id
    LEFT JOIN annotation_payoutline l ON l.id = p.line_id
    LEFT JOIN annotation_payment y ON y.payout_id = l.payout_id
    WHERE e.respondent_id = ANY(%(respondents)s)
    UNION ALL
    SELECT j.respondent_id, c.pay_currency, c.pay_per_judgment, 0, 0, 0
    FROM annotation_judgment j
    JOIN annotation_respondent r ON r.id = j.respondent_id JOIN annotation_campaign c ON c.id = j.campaign_id
    WHERE j.respondent_id = ANY(%(respondents)s) AND {UNWRITTEN}
) AS m
JOIN annotation_respondent r ON r.id = m.respondent_id JOIN annotation_campaign c ON c.id = r.campaign_id
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 (constants)


@dataclass(frozen=True)
class Earned:
    """Of one person in one campaign and currency. `owed` is everything; what is in a file is on its way."""

    currency: str
    owed: Decimal
    approved: Decimal
    filed: Decimal
    paid: Decimal

    @property
    def waiting(self) -> Decimal:
        return self.owed - self.filed - self.paid


def earned_by_slug(person: Person) -> dict[str, list[Earned]]:
    """In every campaign of this person where anything was owed, in one query."""
    found: dict[str, list[Earned]] = {}
    for slug, *amounts in _earned(list(Respondent.objects.filter(person=person).values_list("pk", flat=True))):
        found.setdefault(slug, []).append(Earned(*amounts))
    return found


def earned_by(respondent: Respondent) -> list[Earned]:
    """A row for each currency."""
    return [Earned(*amounts) for _slug, *amounts in _earned([respondent.pk])]


def own_entries(respondent: Respondent) -> QuerySet[LedgerEntry]:
    """The newest first."""
    entries = LedgerEntry.objects.filter(respondent=respondent)
    about = ("judgment", "reversal_of__judgment", "reversal_of__reversal_of__judgment")
    return entries.select_related(*about, "paid__line__payout__payment").order_by("-pk")


def own_payouts(respondent: Respondent) -> list[PayoutLine]:
    lines = PayoutLine.objects.filter(respondent=respondent).select_related("payout__payment")
    return list(lines.order_by("-payout__number")[:200])


def _earned(respondents: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(EARNED, {"respondents": respondents, "kinds": PAID_KINDS})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
