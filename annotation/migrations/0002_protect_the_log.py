from django.db import migrations

from foundation.append_only import protect_table

# Written out, not asked of the models: what this migration protects must not change with later code.
TABLES = [
    "annotation_event",
    "annotation_guidelinesversion",
    "annotation_impression",
    "annotation_impressionevent",
    "annotation_instrument",
    "annotation_judgment",
    "annotation_judgmenttext",
    "annotation_leaderboardsnapshot",
    "annotation_logentry",
    "annotation_question",
]


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]
    operations = [protect_table(table) for table in TABLES]
