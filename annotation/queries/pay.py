"""What a campaign owes and has paid, from the rows of its ledger and its payouts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.texts import read_personal_texts
from annotation.enums import EntryKind
from annotation.models import Campaign, LedgerEntry, Payout, PayoutLine, Respondent, StudyParticipant
from annotation.policies.bonus_list import Bonus, Problem
from annotation.queries.earnings import PAID_KINDS
from annotation.queries.keeping import MINUTE, kept, newest
from annotation.queries.quality import is_short

ZERO = Decimal(0)
# Owed and waiting come from the entries, paid and in a file from the lines of the files.
PEOPLE = """
SELECT r.id, r.pseudonym, coalesce(u.username, ''), s.currency,
    sum(s.entries)::bigint, sum(s.owed), sum(s.paid), sum(s.filed), sum(s.waiting)
FROM (
    SELECT e.respondent_id, e.currency, count(*) FILTER (WHERE e.kind <> 'carried') AS entries, sum(e.amount) AS owed,
        0 AS paid, 0 AS filed, coalesce(sum(e.amount) FILTER (WHERE p.id IS NULL), 0) AS waiting
    FROM annotation_ledgerentry e LEFT JOIN annotation_paidentry p ON p.entry_id = e.id
    WHERE e.campaign_id = %(campaign)s GROUP BY 1, 2
    UNION ALL
    SELECT l.respondent_id, o.currency, 0, 0, CASE WHEN y.id IS NULL THEN 0 ELSE l.amount END,
        CASE WHEN y.id IS NULL THEN l.amount ELSE 0 END, 0
    FROM annotation_payout o JOIN annotation_payoutline l ON l.payout_id = o.id
    LEFT JOIN annotation_payment y ON y.payout_id = o.id
    WHERE o.campaign_id = %(campaign)s
) AS s
JOIN annotation_respondent r ON r.id = s.respondent_id
LEFT JOIN accounts_person w ON w.id = r.person_id LEFT JOIN accounts_user u ON u.id = w.user_id
GROUP BY r.id, r.pseudonym, u.username, s.currency
ORDER BY sum(s.waiting) DESC, r.id, s.currency
"""
KINDS = """
SELECT kind, currency, count(*), sum(amount) FROM annotation_ledgerentry
WHERE campaign_id = %(campaign)s AND kind <> 'carried' GROUP BY 1, 2 ORDER BY 1, 2
"""
NAMES = {PEOPLE: "people", KINDS: "kinds"}


@dataclass(frozen=True)
class Balance:
    """All of one currency. Where the books are right nothing is `missing`."""

    currency: str
    owed: Decimal
    paid: Decimal
    filed: Decimal  # in a file that nobody has confirmed
    waiting: Decimal

    @property
    def missing(self) -> Decimal:
        return self.owed - self.paid - self.filed - self.waiting


@dataclass(frozen=True)
class PersonsPay:
    respondent_id: int
    pseudonym: str
    username: str  # empty for who was erased
    currency: str
    entries: int
    owed: Decimal
    paid: Decimal
    filed: Decimal
    waiting: Decimal


@dataclass(frozen=True)
class CostOfKind:
    kind: str
    currency: str
    entries: int
    amount: Decimal

    @property
    def label(self) -> str:
        return str(EntryKind(self.kind).label)

    @property
    def each(self) -> Decimal:
        return self.amount / self.entries


@dataclass(frozen=True)
class PayLine:
    """One person's line of a payout, with what a payer needs to know of them."""

    respondent_id: int
    pseudonym: str
    username: str
    participant: str  # their id at the service that sent them; empty for everybody else
    study: str
    amount: Decimal
    entries: int


def balances_of(people: Sequence[PersonsPay]) -> list[Balance]:
    """Of all of a campaign's people together, a row for each currency."""
    found: dict[str, list[Decimal]] = {}
    for each in people:
        sums = found.setdefault(each.currency, [ZERO] * 4)
        found[each.currency] = [
            a + b for a, b in zip(sums, (each.owed, each.paid, each.filed, each.waiting), strict=True)
        ]
    return [Balance(currency, *sums) for currency, sums in sorted(found.items())]


def pay_by_person(campaign: Campaign) -> list[PersonsPay]:
    """A row for each person and currency, those who wait for most first."""
    rows = _rows(PEOPLE, campaign)
    return [PersonsPay(*row[:5], *(Decimal(amount) for amount in row[5:])) for row in rows]


def costs_by_kind(campaign: Campaign) -> list[CostOfKind]:
    rows = _rows(KINDS, campaign)
    return [CostOfKind(kind, currency, entries, Decimal(amount)) for kind, currency, entries, amount in rows]


def payouts_of(campaign: Campaign) -> QuerySet[Payout]:
    """The newest first, each with its number of people."""
    payouts = Payout.objects.filter(campaign=campaign).select_related("payment", "created_by__user")
    counted: QuerySet[Payout] = payouts.annotate(people=Count("lines")).order_by("-number")
    return counted


def entries_of(campaign: Campaign, *, pseudonym: str = "", kind: str = "") -> QuerySet[LedgerEntry]:
    """The newest first."""
    entries = LedgerEntry.objects.filter(campaign=campaign)
    if pseudonym:
        entries = entries.filter(respondent__pseudonym=pseudonym)
    if kind:
        entries = entries.filter(kind=kind)
    related = ("respondent", "paid__line__payout", "approved_by__user", "judgment", "reversal_of", "reversed_by")
    return entries.select_related(*related).order_by("-pk")


def entry_rows(entries: QuerySet[LedgerEntry]) -> Iterator[dict[str, Any]]:
    """For a file: plain values, however many there are."""
    names = {
        "pseudonym": F("respondent__pseudonym"),
        "item": F("judgment__item_id"),
        "payout": F("paid__line__payout__number"),
        "by": F("approved_by__user__username"),
    }
    plain = ("id", "kind", "amount", "currency", "reason", "judgment_id", "reversal_of_id", "created_at")
    rows: Iterator[dict[str, Any]] = entries.select_related(None).values(*plain, **names).iterator(chunk_size=5000)
    return rows


def lines_of(payout: Payout) -> list[PayLine]:
    """By pseudonym, so that the file of a payout is the same each time. What is carried over is no entry."""
    told = Count("entries", filter=~Q(entries__entry__kind=EntryKind.CARRIED))
    lines = PayoutLine.objects.filter(payout=payout).annotate(count=told).order_by("respondent__pseudonym")
    related = lines.select_related("respondent__person__user", "respondent__participant__study")
    sealed = StudyParticipant.objects.filter(respondent__payout_lines__payout=payout, participant_id__isnull=False)
    participants = dict(sealed.values_list("respondent", "participant_id"))
    ids = read_personal_texts(participants.values())
    return [_line(line, ids.get(participants.get(line.respondent_id, 0)) or "") for line in related]


def _line(line: Any, participant: str) -> PayLine:
    person = line.respondent.person
    return PayLine(
        respondent_id=line.respondent_id,
        pseudonym=line.respondent.pseudonym,
        username=person.user.get_username() if person and person.user else "",
        participant=participant,
        study=line.respondent.participant.study.external_id if participant else "",
        amount=line.amount,
        entries=line.count,
    )


def people_named(campaign: Campaign, bonuses: Sequence[Bonus]) -> list[Respondent]:
    names = [bonus.pseudonym for bonus in bonuses]
    return list(Respondent.objects.filter(campaign=campaign, kind__in=PAID_KINDS, pseudonym__in=names))


def unknown_people(campaign: Campaign, bonuses: Sequence[Bonus]) -> list[Problem]:
    known = {respondent.pseudonym for respondent in people_named(campaign, bonuses)}
    return [
        Problem(bonus.line, _("Nobody here has the pseudonym “%(name)s”.") % {"name": bonus.pseudonym[:64]})
        for bonus in bonuses
        if bonus.pseudonym not in known
    ]


def _rows(sql: str, campaign: Campaign) -> list[list[Any]]:
    """Amounts as text. Of a long log they are kept until anything is entered, filed or paid."""

    def read() -> list[list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"campaign": campaign.pk})
            return [[str(each) if isinstance(each, Decimal) else each for each in row] for row in cursor.fetchall()]

    if is_short(campaign):
        return read()
    stamp = newest("annotation_ledgerentry", "annotation_payout", "annotation_payment")
    found: list[list[Any]] = kept(f"pay:{campaign.pk}:{NAMES[sql]}", stamp, read, seconds=MINUTE)
    return found
