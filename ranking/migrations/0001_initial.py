import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("exams", "0003_only_grow"),
        ("grading", "0002_only_grow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RankingRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tie_keys", models.JSONField(verbose_name="clés de départage")),
                ("rules_version", models.CharField(max_length=40, verbose_name="version des règles")),
                ("denominator", models.PositiveBigIntegerField(verbose_name="dénominateur")),
                (
                    "unranked",
                    models.JSONField(
                        help_text="Numéros anonymes absents à toutes les épreuves.", verbose_name="non classés"
                    ),
                ),
                ("inputs_digest", models.CharField(max_length=64, verbose_name="empreinte des entrées")),
                ("digest", models.CharField(max_length=64, verbose_name="empreinte du classement")),
                ("created_at", models.DateTimeField(verbose_name="calculé le")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exams.exam",
                        verbose_name="examen",
                    ),
                ),
                (
                    "marking_runs",
                    models.ManyToManyField(related_name="+", to="grading.markingrun", verbose_name="notations"),
                ),
            ],
            options={
                "verbose_name": "classement",
                "verbose_name_plural": "classements",
            },
        ),
        migrations.CreateModel(
            name="RankedSheet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(verbose_name="ordre")),
                ("rank", models.PositiveIntegerField(verbose_name="rang")),
                ("number", models.CharField(max_length=12, verbose_name="numéro anonyme")),
                ("total", models.BigIntegerField(verbose_name="total")),
                ("parts", models.JSONField(verbose_name="points par partie")),
                ("tie", models.JSONField(null=True, verbose_name="départage")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="places",
                        to="ranking.rankingrun",
                        verbose_name="classement",
                    ),
                ),
            ],
            options={
                "verbose_name": "place",
                "verbose_name_plural": "places",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="rankedsheet_number_once_per_run"),
                    models.UniqueConstraint(fields=("run", "position"), name="rankedsheet_position_once_per_run"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("not_before", models.DateTimeField(verbose_name="pas avant")),
                ("proposed_at", models.DateTimeField(verbose_name="proposée le")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="confirmée le")),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmée par",
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exams.exam",
                        verbose_name="examen",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposée par",
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="publication",
                        to="ranking.rankingrun",
                        verbose_name="classement",
                    ),
                ),
            ],
            options={
                "verbose_name": "publication",
                "verbose_name_plural": "publications",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at__isnull", False)),
                        fields=("exam",),
                        name="publication_one_per_exam",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("confirmed_by__isnull", True)),
                            models.Q(("confirmed_at__gte", models.F("not_before")), ("confirmed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="publication_confirmed_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_by__isnull", True),
                            models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="publication_by_two_people",
                    ),
                ],
            },
        ),
    ]
