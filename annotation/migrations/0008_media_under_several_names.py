from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("annotation", "0007_answers_are_news"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="mediafile", name="one_media_file_per_content"),
        migrations.AddIndex(
            model_name="mediafile",
            index=models.Index(fields=["campaign", "sha256"], name="media_content"),
        ),
    ]
