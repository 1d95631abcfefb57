import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ranking.models
from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("centres", "0003_standing"),
        ("exams", "0005_refused_ops"),
        ("ranking", "0002_only_grow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="rankedsheet",
            name="is_apart",
            field=models.BooleanField(default=False, verbose_name="classé à part"),
        ),
        migrations.AddField(
            model_name="rankingrun",
            name="policy",
            field=models.JSONField(default=dict, verbose_name="paramètres"),
        ),
        migrations.AddField(
            model_name="rankingrun",
            name="statuses",
            field=models.JSONField(default=dict, verbose_name="statuts"),
        ),
        migrations.AlterField(
            model_name="rankingrun",
            name="unranked",
            field=models.JSONField(help_text="Numéros anonymes, triés.", verbose_name="non classés"),
        ),
        migrations.CreateModel(
            name="Complaint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("question", models.PositiveSmallIntegerField(null=True, verbose_name="question")),
                ("text", models.TextField(verbose_name="réclamation")),
                ("filed_at", models.DateTimeField(verbose_name="déposée le")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="centres.candidate",
                        verbose_name="candidat",
                    ),
                ),
                (
                    "sitting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exams.sitting",
                        verbose_name="épreuve",
                    ),
                ),
            ],
            options={
                "verbose_name": "réclamation",
                "verbose_name_plural": "réclamations",
            },
        ),
        migrations.CreateModel(
            name="RankingPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("data", models.JSONField(verbose_name="paramètres")),
                ("reason", models.CharField(max_length=500, verbose_name="motif")),
                ("created_at", models.DateTimeField(verbose_name="publiés le")),
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
            ],
            options={
                "verbose_name": "règles du classement",
                "verbose_name_plural": "règles du classement",
            },
        ),
        migrations.CreateModel(
            name="RankingSignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, verbose_name="empreinte signée")),
                ("reason", models.CharField(max_length=500, verbose_name="motif")),
                ("signed_at", models.DateTimeField(verbose_name="signé le")),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signature",
                        to="ranking.rankingrun",
                        verbose_name="classement",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
            ],
            options={
                "verbose_name": "signature du classement",
                "verbose_name_plural": "signatures du classement",
            },
        ),
        migrations.CreateModel(
            name="AnonymityLift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.PositiveSmallIntegerField(verbose_name="étape")),
                ("reason", models.CharField(max_length=500, verbose_name="motif")),
                ("lifted_at", models.DateTimeField(verbose_name="fait le")),
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
                    "lifted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lifts",
                        to="ranking.rankingrun",
                        verbose_name="classement",
                    ),
                ),
            ],
            options={
                "verbose_name": "levée d’anonymat",
                "verbose_name_plural": "levées d’anonymat",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("step__in", [1, 2])), name="anonymitylift_two_steps"),
                    models.UniqueConstraint(fields=("run", "step"), name="anonymitylift_step_once"),
                    models.UniqueConstraint(fields=("run", "lifted_by"), name="anonymitylift_by_two_people"),
                    models.UniqueConstraint(
                        condition=models.Q(("step", 2)), fields=("exam",), name="anonymitylift_once_per_exam"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ComplaintStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("FILED", "Déposée"),
                            ("TAKEN", "En cours d’examen"),
                            ("ANSWERED", "Répondue"),
                            ("CLOSED", "Close"),
                        ],
                        max_length=10,
                        verbose_name="étape",
                    ),
                ),
                ("text", models.TextField(blank=True, verbose_name="texte")),
                ("at", models.DateTimeField(verbose_name="date")),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
                (
                    "complaint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="ranking.complaint",
                        verbose_name="réclamation",
                    ),
                ),
            ],
            options={
                "verbose_name": "étape d’une réclamation",
                "verbose_name_plural": "étapes des réclamations",
                "constraints": [
                    models.UniqueConstraint(fields=("complaint", "state"), name="complaintstep_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ANSWERED"), _negated=True),
                            models.Q(("text", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="complaintstep_answer_has_text",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpecialtyGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(13),
                        ],
                        verbose_name="numéro",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="nom")),
                (
                    "items",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Numéros d’items du programme : [221, 222].",
                        verbose_name="items",
                    ),
                ),
                (
                    "tie_keys",
                    models.JSONField(
                        default=ranking.models.default_group_keys,
                        help_text="Dans l’ordre, parmi RANK_A, ALL, OLDER, YOUNGER.",
                        verbose_name="clés de départage",
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
            ],
            options={
                "verbose_name": "groupe de spécialités",
                "verbose_name_plural": "groupes de spécialités",
                "constraints": [
                    models.UniqueConstraint(fields=("exam", "number"), name="specialtygroup_number_once_per_exam")
                ],
            },
        ),
        refuse_changes("ranking_rankingpolicy"),
        refuse_changes("ranking_rankingsignature"),
        refuse_changes("ranking_anonymitylift"),
        refuse_changes("ranking_complaint"),
        refuse_changes("ranking_complaintstep"),
    ]
