"""The president of the jury is a role."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_only_grow"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("AGENCY", "Agence nationale"),
                    ("COUNCIL", "Conseil scientifique"),
                    ("CENTRE_HEAD", "Responsable de centre"),
                    ("INVIGILATOR", "Surveillant"),
                    ("JURY", "Jury"),
                    ("PRESIDENT", "Président du jury"),
                    ("OPS", "Exploitation"),
                ],
                default="INVIGILATOR",
                max_length=20,
                verbose_name="rôle",
            ),
        ),
    ]
