import django.db.models.deletion
from django.db import migrations, models

# Slots of checks and repeats that are there already.
FOR_ONE = """
UPDATE annotation_slot s SET for_one = true FROM annotation_item i
WHERE i.id = s.item_id AND (i.purpose <> 'work' OR i.repeat_of_id IS NOT NULL)
"""
COUNTED = """
INSERT INTO annotation_slottally (campaign_id, wanted, taken)
SELECT campaign_id, count(*) FILTER (WHERE state <> 'cancelled' AND NOT for_one),
    count(*) FILTER (WHERE state IN ('claimed', 'done'))
FROM annotation_slot GROUP BY campaign_id
"""
TALLY = """
CREATE FUNCTION annotation_tally_slots() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, sum((state <> 'cancelled' AND NOT for_one)::int), sum((state IN ('claimed', 'done'))::int)
        FROM added GROUP BY campaign_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, -sum((state <> 'cancelled' AND NOT for_one)::int), -sum((state IN ('claimed', 'done'))::int)
        FROM gone GROUP BY campaign_id;
    ELSE
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, sum(sign * (state <> 'cancelled' AND NOT for_one)::int),
            sum(sign * (state IN ('claimed', 'done'))::int)
        FROM (
            SELECT campaign_id, state, for_one, 1 AS sign FROM added
            UNION ALL SELECT campaign_id, state, for_one, -1 FROM gone
        ) changed
        GROUP BY campaign_id
        HAVING sum(sign * (state <> 'cancelled' AND NOT for_one)::int) <> 0
            OR sum(sign * (state IN ('claimed', 'done'))::int) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER slots_added AFTER INSERT ON annotation_slot REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
CREATE TRIGGER slots_gone AFTER DELETE ON annotation_slot REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
CREATE TRIGGER slots_changed AFTER UPDATE ON annotation_slot REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
"""
UNDO = """
DROP TRIGGER slots_added ON annotation_slot;
DROP TRIGGER slots_gone ON annotation_slot;
DROP TRIGGER slots_changed ON annotation_slot;
DROP FUNCTION annotation_tally_slots();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0011_answers_taken_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="slot",
            name="for_one",
            field=models.BooleanField(db_default=False),
        ),
        migrations.CreateModel(
            name="SlotTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wanted", models.IntegerField()),
                ("taken", models.IntegerField()),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.campaign"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FOR_ONE, migrations.RunSQL.noop),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
        migrations.RunSQL(TALLY, UNDO),
    ]
