from django.db import migrations, models

# What is public is released, since the log of changes says so and otherwise since it was made. What is retired had its
# name read until now, and keeps it, unless the log says that it was hidden and never that it was public.
RELEASED = """
UPDATE inference_workers_languagemodel m SET released_at = coalesce(said.public_at, m.created_at)
FROM (
    SELECT each.id,
        min(e.created_at) FILTER (WHERE e.changes->'visibility'->>1 = 'public') AS public_at,
        coalesce(bool_or(e.changes->'visibility' @> '["hidden"]'), false) AS was_hidden,
        coalesce(bool_or(e.changes->'visibility' @> '["public"]'), false) AS was_public
    FROM inference_workers_languagemodel each
    LEFT JOIN inference_workers_operatorevent e ON e.subject = 'language model' AND e.subject_id = each.id
    GROUP BY each.id
) said
WHERE said.id = m.id AND (
    m.visibility = 'public' OR (m.visibility = 'retired' AND (said.was_public OR NOT said.was_hidden))
    OR (m.visibility = 'hidden' AND said.was_public)
)
"""
# Whoever makes a model public releases it, and a release is for good.
KEEP = """
CREATE FUNCTION inference_workers_keep_release() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.released_at IS NOT NULL THEN
        NEW.released_at := OLD.released_at;
    ELSIF NEW.visibility = 'public' THEN
        NEW.released_at := coalesce(NEW.released_at, now());
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER keep_release BEFORE INSERT OR UPDATE ON inference_workers_languagemodel
    FOR EACH ROW EXECUTE FUNCTION inference_workers_keep_release();
"""
UNDO = """
DROP TRIGGER keep_release ON inference_workers_languagemodel;
DROP FUNCTION inference_workers_keep_release();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inference_workers", "0007_settings_of_a_completion"),
    ]

    operations = [
        migrations.AddField(
            model_name="languagemodel",
            name="released_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunSQL(RELEASED, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, UNDO),
    ]
