"""Checkpoints: what was recorded is fixed each minute by a signed line."""

import django.db.models.deletion
from django.db import migrations, models

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("exams", "0005_refused_ops")]

    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField(verbose_name="rang")),
                ("made_at", models.DateTimeField(verbose_name="date")),
                ("heads", models.BinaryField(verbose_name="têtes")),
                ("leaves", models.BinaryField(verbose_name="feuilles")),
                ("root", models.BinaryField(verbose_name="racine")),
                ("previous", models.BinaryField(verbose_name="précédent")),
                ("signature", models.BinaryField(verbose_name="signature")),
                ("key_id", models.CharField(max_length=16, verbose_name="clé")),
                (
                    "sitting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkpoints",
                        to="exams.sitting",
                        verbose_name="épreuve",
                    ),
                ),
            ],
            options={
                "verbose_name": "point de contrôle",
                "verbose_name_plural": "points de contrôle",
                "constraints": [
                    models.UniqueConstraint(fields=("sitting", "index"), name="checkpoint_index_once_per_sitting")
                ],
            },
        ),
        refuse_changes("exams_checkpoint"),
    ]
