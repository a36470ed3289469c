import django.db.models.deletion
from django.db import migrations, models

# What is counted: work that a person answered or holds. What an item is for never changes.
WORK = """a.state IN ('open', 'submitted') AND (
    SELECT i.purpose = 'work' AND i.repeat_of_id IS NULL FROM annotation_item i WHERE i.id = a.item_id
)"""
# One look at an item's index for each assignment, always: a connection keeps the plan that it made while the tables
# were small, and a join that is right for one row takes minutes for a hundred thousand.
TALLY = f"""
CREATE FUNCTION annotation_add_work(who bigint, more bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $body$
BEGIN
    UPDATE annotation_worktally SET given = given + more WHERE id = (
        SELECT id FROM annotation_worktally WHERE respondent_id = who LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO annotation_worktally (respondent_id, given) VALUES (who, more);
    END IF;
END $body$;
CREATE FUNCTION annotation_tally_work() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM annotation_add_work(a.respondent_id, count(*))
        FROM added a WHERE {WORK} GROUP BY a.respondent_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM annotation_add_work(a.respondent_id, -count(*))
        FROM gone a WHERE {WORK} GROUP BY a.respondent_id;
    ELSE
        PERFORM annotation_add_work(a.respondent_id, sum(a.sign))
        FROM (
            SELECT respondent_id, item_id, state, 1 AS sign FROM added
            UNION ALL SELECT respondent_id, item_id, state, -1 FROM gone
        ) a
        WHERE {WORK} GROUP BY a.respondent_id HAVING sum(a.sign) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER work_added AFTER INSERT ON annotation_assignment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
CREATE TRIGGER work_gone AFTER DELETE ON annotation_assignment REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
CREATE TRIGGER work_changed AFTER UPDATE ON annotation_assignment REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
"""  # noqa: S608 (constants)
# After the triggers are made nobody else writes assignments until the migration ends, so that none is missed.
COUNTED = f"""
INSERT INTO annotation_worktally (respondent_id, given)
SELECT a.respondent_id, count(*) FROM annotation_assignment a
WHERE {WORK} GROUP BY a.respondent_id
"""  # noqa: S608 (constants)
UNDO = """
DROP TRIGGER work_added ON annotation_assignment;
DROP TRIGGER work_gone ON annotation_assignment;
DROP TRIGGER work_changed ON annotation_assignment;
DROP FUNCTION annotation_tally_work();
DROP FUNCTION annotation_add_work(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0015_captions"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("given", models.IntegerField()),
                (
                    "respondent",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="annotation.respondent",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(TALLY, UNDO),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
    ]
