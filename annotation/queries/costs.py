"""What a campaign costs, by its ledger, with the fees that nobody has written yet."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from annotation.models import Campaign
from annotation.queries.earnings import OWING, PAID_KINDS, UNWRITTEN

ZERO = Decimal(0)
# Each entry that turns another round, with what the first of them was for: a rejection and its appeal make a chain.
TURNED = """
turned (amount, kind, judgment_id, reversal_of_id) AS (
    SELECT e.amount, o.kind, o.judgment_id, o.reversal_of_id
    FROM annotation_ledgerentry e JOIN annotation_ledgerentry o ON o.id = e.reversal_of_id
    WHERE e.campaign_id = %(campaign)s AND e.currency = %(currency)s
    UNION ALL
    SELECT t.amount, o.kind, o.judgment_id, o.reversal_of_id
    FROM turned t JOIN annotation_ledgerentry o ON o.id = t.reversal_of_id
)
"""
FIRST_ENTRIES = """
FROM annotation_ledgerentry e
WHERE e.campaign_id = %(campaign)s AND e.currency = %(currency)s AND e.reversal_of_id IS NULL
"""
BY_KIND = f"""
WITH RECURSIVE {TURNED}
SELECT e.kind::text, sum(e.amount) {FIRST_ENTRIES} GROUP BY 1
UNION ALL SELECT 'withdrawn', sum(amount) FROM turned WHERE kind = 'fee'
UNION ALL SELECT kind::text, sum(amount) FROM turned WHERE reversal_of_id IS NULL AND kind <> 'fee' GROUP BY 1
UNION ALL SELECT 'fee', count(*) * c.pay_per_judgment {OWING}
    WHERE j.campaign_id = %(campaign)s AND {UNWRITTEN} GROUP BY c.pay_per_judgment
"""  # noqa: S608 (constants)
# Whether what somebody said of an item is out by a retraction, as with a block: nobody decides about it any more, and
# its fee stays owed.
OUT = """
EXISTS (SELECT 1 FROM annotation_judgment n
    WHERE n.respondent_id = j.respondent_id AND n.item_id = j.item_id AND n.kind = 'retraction'
        AND NOT EXISTS (SELECT 1 FROM annotation_judgment m WHERE m.supersedes_id = n.id))
"""
# Of a person's answer to an item the fee, what turned it round, and bonuses that name it. `decided` is what somebody
# has approved, rejected or returned, and what is out. `judged` says which answers.
OF_REVIEWED = f"""
WITH RECURSIVE {TURNED}, judged AS ({{judged}}), entered AS (
    SELECT e.amount, e.judgment_id {FIRST_ENTRIES} AND e.judgment_id IS NOT NULL
    UNION ALL SELECT amount, judgment_id FROM turned WHERE judgment_id IS NOT NULL
), owed AS (
    SELECT judged.batch_id, judged.decided, e.amount
    FROM judged JOIN annotation_judgment j USING (respondent_id, item_id) JOIN entered e ON e.judgment_id = j.id
    UNION ALL
    SELECT judged.batch_id, judged.decided, c.pay_per_judgment {OWING}
    JOIN judged ON judged.respondent_id = j.respondent_id AND judged.item_id = j.item_id
    WHERE j.campaign_id = %(campaign)s AND {UNWRITTEN}
)
SELECT batch_id, sum(amount), sum(amount) FILTER (WHERE decided) FROM owed GROUP BY 1
"""  # noqa: S608 (constants)
OF_BATCHES = OF_REVIEWED.format(
    judged=f"""
    SELECT r.batch_id, j.respondent_id, j.item_id, bool_or(r.state <> 'pending' OR {OUT}) AS decided
    FROM annotation_review r JOIN annotation_judgment j ON j.id = r.judgment_id
    WHERE r.batch_id = ANY(%(batches)s) GROUP BY 1, 2, 3
    """  # noqa: S608 (constants)
)
OF_DECIDED = OF_REVIEWED.format(
    judged=f"""
    SELECT NULL::bigint AS batch_id, j.respondent_id, j.item_id, true AS decided
    FROM annotation_review r JOIN annotation_judgment j ON j.id = r.judgment_id
    WHERE r.campaign_id = %(campaign)s AND r.state <> 'pending'
    UNION SELECT NULL, j.respondent_id, j.item_id, true FROM annotation_judgment j
    WHERE j.campaign_id = %(campaign)s AND j.kind = 'retraction' AND {OUT}
    """  # noqa: S608 (constants)
)


@dataclass(frozen=True)
class Money:
    """In the campaign's currency. `withdrawn` is negative, or nothing; what was taken back of the others is off them.

    `decided` is what the judgments cost that somebody has approved, rejected or returned, or that were taken out.
    """

    fees: Decimal = ZERO
    withdrawn: Decimal = ZERO
    bonuses: Decimal = ZERO
    screen_outs: Decimal = ZERO
    draws: Decimal = ZERO
    decided: Decimal = ZERO

    @property
    def owed(self) -> Decimal:
        return self.fees + self.withdrawn + self.bonuses + self.screen_outs + self.draws


KINDS = {"fee": "fees", "withdrawn": "withdrawn", "bonus": "bonuses", "screen_out": "screen_outs", "draw": "draws"}


def money_of(campaign: Campaign) -> Money:
    sums = dict.fromkeys(KINDS.values(), ZERO)
    with connection.cursor() as cursor:
        cursor.execute(BY_KIND, values_for(campaign))
        for kind, amount in cursor.fetchall():
            # What is carried to the next payout is taken off the one before.
            if kind in KINDS and amount is not None:
                sums[KINDS[kind]] += amount
        cursor.execute(OF_DECIDED, values_for(campaign))
        decided = sum((amount for _batch, _all, amount in cursor.fetchall()), ZERO)
    return Money(**sums, decided=decided)


def costs_of_batches(campaign: Campaign, batches: list[int]) -> dict[int, tuple[Decimal, Decimal | None]]:
    """Of each that costs anything: all of it, and what of it is decided."""
    with connection.cursor() as cursor:
        cursor.execute(OF_BATCHES, values_for(campaign) | {"batches": batches})
        return {batch: (amount, decided) for batch, amount, decided in cursor.fetchall()}


def values_for(campaign: Campaign) -> dict[str, Any]:
    return {"campaign": campaign.pk, "currency": campaign.pay_currency, "kinds": PAID_KINDS}
