from django.db import connection, transaction
from django.db.models import Count

from annotation.models import SlotTally

MANY = 200
# Rows of claims that are not committed yet are not seen, and stay.
SUM = """
WITH gone AS (DELETE FROM annotation_slottally WHERE campaign_id = %(campaign)s RETURNING wanted, taken, done)
INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
SELECT %(campaign)s, sum(wanted), sum(taken), sum(done) FROM gone HAVING count(*) > 0
"""


def sum_tallies() -> int:
    """One row in place of many for campaigns whose slots changed often; returns how many campaigns."""
    often = SlotTally.objects.order_by().values("campaign").annotate(rows=Count("pk")).filter(rows__gt=MANY)
    campaigns = list(often.values_list("campaign", flat=True))
    for campaign in campaigns:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SUM, {"campaign": campaign})
    return len(campaigns)
