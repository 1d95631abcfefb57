import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("exams", "0003_only_grow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MarkingRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rules_version", models.CharField(max_length=40, verbose_name="version des règles")),
                ("parameters", models.JSONField(verbose_name="paramètres")),
                ("scale", models.JSONField(verbose_name="barème")),
                ("denominator", models.PositiveBigIntegerField(verbose_name="dénominateur")),
                ("inputs_digest", models.CharField(max_length=64, verbose_name="empreinte des entrées")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PENDING", "En attente"),
                            ("RUNNING", "En cours"),
                            ("DONE", "Terminée"),
                            ("FAILED", "Échouée"),
                        ],
                        default="PENDING",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("sheets", models.PositiveIntegerField(verbose_name="copies")),
                ("absent", models.PositiveIntegerField(verbose_name="absents")),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="empreinte des notes")),
                ("failure", models.TextField(blank=True, verbose_name="cause de l’échec")),
                ("created_at", models.DateTimeField(verbose_name="lancée le")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="terminée le")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lancée par",
                    ),
                ),
                (
                    "paper",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exams.paper",
                        verbose_name="sujet",
                    ),
                ),
                (
                    "supersedes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="grading.markingrun",
                        verbose_name="remplace",
                    ),
                ),
            ],
            options={
                "verbose_name": "notation",
                "verbose_name_plural": "notations",
            },
        ),
        migrations.CreateModel(
            name="MarkingChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="numéro")),
                ("first_sheet", models.BigIntegerField(verbose_name="première copie")),
                ("last_sheet", models.BigIntegerField(verbose_name="dernière copie")),
                ("sheets", models.PositiveIntegerField(verbose_name="copies")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PENDING", "En attente"),
                            ("RUNNING", "En cours"),
                            ("DONE", "Terminée"),
                            ("FAILED", "Échouée"),
                        ],
                        default="PENDING",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
                ("started_at", models.DateTimeField(null=True, verbose_name="début")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="fin")),
                ("error", models.TextField(blank=True, verbose_name="erreur")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="grading.markingrun",
                        verbose_name="notation",
                    ),
                ),
            ],
            options={
                "verbose_name": "lot de copies",
                "verbose_name_plural": "lots de copies",
            },
        ),
        migrations.CreateModel(
            name="SheetMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=12, verbose_name="numéro anonyme")),
                ("points", models.BinaryField(verbose_name="points par question")),
                ("total", models.BigIntegerField(verbose_name="total")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marks",
                        to="grading.markingrun",
                        verbose_name="notation",
                    ),
                ),
            ],
            options={
                "verbose_name": "notes d’une copie",
                "verbose_name_plural": "notes des copies",
            },
        ),
        migrations.AddConstraint(
            model_name="markingrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["PENDING", "RUNNING"])),
                fields=("paper",),
                name="markingrun_one_active_per_paper",
            ),
        ),
        migrations.AddConstraint(
            model_name="markingrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("digest__regex", "^[0-9a-f]{64}$"), ("finished_at__isnull", False), ("state", "DONE")),
                    models.Q(models.Q(("state", "DONE"), _negated=True), ("digest", "")),
                    _connector="OR",
                ),
                name="markingrun_digest_when_done",
            ),
        ),
        migrations.AddConstraint(
            model_name="markingchunk",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="markingchunk_number_once"),
        ),
        migrations.AddConstraint(
            model_name="sheetmark",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="sheetmark_once_per_run"),
        ),
    ]
