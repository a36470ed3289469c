from django.db import migrations, models

# Until now one share was for gold and attention checks together, each drawn as often as there were such items.
DIVIDE = """
UPDATE annotation_campaign c SET
    attention_share = gold_share * n.attention / n.checks,
    gold_share = gold_share - gold_share * n.attention / n.checks
FROM (
    SELECT campaign_id, count(*)::float AS checks, count(*) FILTER (WHERE purpose = 'attention')::float AS attention
    FROM annotation_item WHERE purpose IN ('gold', 'attention') AND state IN ('open', 'frozen') GROUP BY campaign_id
) n
WHERE n.campaign_id = c.id AND c.gold_share > 0 AND n.attention > 0
"""
JOIN = "UPDATE annotation_campaign SET gold_share = least(gold_share + attention_share, 0.5)"


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0012_tally_slots"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="attention_share",
            field=models.FloatField(db_default=0, default=0, verbose_name="share of attention checks"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="order_design",
            field=models.CharField(
                choices=[("drawn", "Drawn each time"), ("balanced", "Balanced within each item")],
                db_default="drawn",
                default="drawn",
                max_length=10,
                verbose_name="order of responses",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("attention_share__gte", 0), ("attention_share__lte", 0.5)),
                name="campaign_attention_share_in_range",
            ),
        ),
        migrations.RunSQL(DIVIDE, JOIN),
    ]
