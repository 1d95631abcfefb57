from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grading", "0004_jury")]

    operations = [
        migrations.RemoveConstraint(model_name="ballot", name="ballot_once_per_member"),
        migrations.AddConstraint(
            model_name="ballot",
            constraint=models.UniqueConstraint(
                fields=("proposal", "session", "member"), name="ballot_once_per_session"
            ),
        ),
    ]
