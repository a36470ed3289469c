from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_protect_the_log")]
    operations = [
        migrations.RemoveIndex(model_name="judgment", name="judgment_transaction"),
        migrations.AddIndex(
            model_name="judgment",
            index=models.Index(fields=["transaction", "id"], name="judgment_commit_order"),
        ),
    ]
