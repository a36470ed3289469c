"""A house rule's verdict is a finding: a model judge's answer in `annotation` is called a verdict."""

import django.db.models.deletion
from django.db import migrations, models

LOOKED_AT = models.Q(("looked_at__isnull", True), ("outcome", "")) | models.Q(
    models.Q(("outcome", ""), _negated=True), ("looked_at__isnull", False)
)
OF_AN_ANSWER = models.Q(("about", "answer"), ("completion__isnull", False)) | models.Q(
    models.Q(("about", "answer"), _negated=True), ("completion__isnull", True)
)


def found_in(model: str, **options: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="findings", to=f"arena.{model}", **options
    )


class Migration(migrations.Migration):
    dependencies = [("arena", "0014_votes_set_apart")]

    operations = [
        migrations.RenameModel("Verdict", "RuleFinding"),
        migrations.RenameIndex("rulefinding", new_name="finding_recent", old_name="verdict_recent"),
        migrations.RemoveConstraint("rulefinding", "verdict_looked_at_has_outcome"),
        migrations.RemoveConstraint("rulefinding", "verdict_of_an_answer_names_it"),
        migrations.RemoveConstraint("rulefinding", "one_verdict_per_answer_and_rule"),
        migrations.AlterField("rulefinding", "arena", found_in("arena")),
        migrations.AlterField("rulefinding", "battle", found_in("battle", null=True)),
        migrations.AlterField("rulefinding", "rule", found_in("houserule")),
        migrations.AddConstraint(
            "rulefinding", models.CheckConstraint(condition=LOOKED_AT, name="finding_looked_at_has_outcome")
        ),
        migrations.AddConstraint(
            "rulefinding", models.CheckConstraint(condition=OF_AN_ANSWER, name="finding_of_an_answer_names_it")
        ),
        migrations.AddConstraint(
            "rulefinding",
            models.UniqueConstraint(fields=("completion", "rule"), name="one_finding_per_answer_and_rule"),
        ),
    ]
