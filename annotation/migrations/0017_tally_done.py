from django.db import migrations, models

# By the name of each column of the tally, what of a slot it counts.
WANTED = "(state <> 'cancelled' AND NOT for_one)::int"
TAKEN = "(state IN ('claimed', 'done'))::int"
DONE = "(state = 'done' AND NOT for_one)::int"
# The function of migration 12 with one number more.
TALLY = f"""
CREATE OR REPLACE FUNCTION annotation_tally_slots() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, sum({WANTED}), sum({TAKEN}), sum({DONE}) FROM added GROUP BY campaign_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, -sum({WANTED}), -sum({TAKEN}), -sum({DONE}) FROM gone GROUP BY campaign_id;
    ELSE
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, sum(sign * {WANTED}), sum(sign * {TAKEN}), sum(sign * {DONE})
        FROM (
            SELECT campaign_id, state, for_one, 1 AS sign FROM added
            UNION ALL SELECT campaign_id, state, for_one, -1 FROM gone
        ) changed
        GROUP BY campaign_id
        HAVING sum(sign * {WANTED}) <> 0 OR sum(sign * {TAKEN}) <> 0 OR sum(sign * {DONE}) <> 0;
    END IF;
    RETURN NULL;
END $body$;
"""  # noqa: S608 (constants)
BEFORE = f"""
CREATE OR REPLACE FUNCTION annotation_tally_slots() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, sum({WANTED}), sum({TAKEN}) FROM added GROUP BY campaign_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, -sum({WANTED}), -sum({TAKEN}) FROM gone GROUP BY campaign_id;
    ELSE
        INSERT INTO annotation_slottally (campaign_id, wanted, taken)
        SELECT campaign_id, sum(sign * {WANTED}), sum(sign * {TAKEN})
        FROM (
            SELECT campaign_id, state, for_one, 1 AS sign FROM added
            UNION ALL SELECT campaign_id, state, for_one, -1 FROM gone
        ) changed
        GROUP BY campaign_id
        HAVING sum(sign * {WANTED}) <> 0 OR sum(sign * {TAKEN}) <> 0;
    END IF;
    RETURN NULL;
END $body$;
"""  # noqa: S608 (constants)
# Whoever changes slots waits until the migration ends, so that none is missed.
COUNTED = f"""
LOCK TABLE annotation_slot IN SHARE MODE;
INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
SELECT campaign_id, 0, 0, sum({DONE}) FROM annotation_slot GROUP BY campaign_id HAVING sum({DONE}) > 0
"""  # noqa: S608 (constants)


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0016_tally_work"),
    ]

    operations = [
        migrations.AddField(
            model_name="slottally",
            name="done",
            field=models.IntegerField(db_default=0),
        ),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
        migrations.RunSQL(TALLY, BEFORE),
    ]
