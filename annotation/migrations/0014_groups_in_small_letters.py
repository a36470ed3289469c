from django.db import migrations

# “Nurses” and “nurses” are one group; as the rules of groups write them from here on.
LOWER = """
UPDATE annotation_{table} SET groups = ARRAY(SELECT DISTINCT lower(name) FROM unnest(groups) AS name ORDER BY 1)
WHERE lower(groups::text) <> groups::text
"""
# Of two quotas that become one the larger holds: nobody is stopped by it who was not before.
QUOTAS = """
UPDATE annotation_campaign SET group_quotas = (
    SELECT jsonb_object_agg(name, most) FROM (
        SELECT lower(key) AS name, max(value::int) AS most FROM jsonb_each_text(group_quotas) GROUP BY 1
    ) q
) WHERE lower(group_quotas::text) <> group_quotas::text
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0013_checks_and_orders"),
    ]

    operations = [
        migrations.RunSQL(LOWER.format(table="respondent"), migrations.RunSQL.noop),
        migrations.RunSQL(LOWER.format(table="invitation"), migrations.RunSQL.noop),
        migrations.RunSQL(QUOTAS, migrations.RunSQL.noop),
    ]
