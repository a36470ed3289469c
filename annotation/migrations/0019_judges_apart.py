from django.db import migrations, models

# A judge counts as a person for whatever reads by source, unless its source is a judge's; and nobody else may hide in
# one. Constraints see one table.
APART = """
CREATE FUNCTION annotation_judges_apart() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (NEW.kind = 'model_judge') <> (SELECT kind = 'judge' FROM annotation_source WHERE id = NEW.source_id) THEN
        RAISE EXCEPTION 'a model judge has a source of model judges, and nobody else has'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'judges_have_their_source';
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER judges_apart BEFORE INSERT OR UPDATE OF kind, source_id ON annotation_respondent
    FOR EACH ROW EXECUTE FUNCTION annotation_judges_apart();
"""
UNDO = """
DROP TRIGGER judges_apart ON annotation_respondent;
DROP FUNCTION annotation_judges_apart();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0018_arenas"),
    ]

    operations = [
        migrations.AlterField(
            model_name="source",
            name="kind",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("import", "Imported"),
                    ("simulation", "Simulated"),
                    ("judge", "Model judge"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="source",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "Active"),
                    ("retired", "Retired"),
                    ("apart", "Apart, read only where asked for"),
                ],
                default="active",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("kind", "judge"), models.Q(("state", "active"), _negated=True)))
                | models.Q(models.Q(("kind", "judge"), _negated=True), models.Q(("state", "apart"), _negated=True)),
                name="judges_stand_apart",
            ),
        ),
        migrations.RunSQL(APART, UNDO),
    ]
