"""The jury: sessions, proposals, votes, decisions, spellings, minutes; each is written once."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ecni.shared.appendonly import refuse_changes

TABLES = ("jurysession", "presence", "proposal", "ballot", "decision", "spellingopinion", "remark", "minutes")


class Migration(migrations.Migration):
    dependencies = [
        ("exams", "0004_sealed_for_good"),
        ("grading", "0002_only_grow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="markingrun",
            name="decisions",
            field=models.JSONField(default=list, verbose_name="décisions du jury"),
        ),
        migrations.CreateModel(
            name="JurySession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quorum", models.PositiveSmallIntegerField(verbose_name="quorum")),
                ("casting_vote", models.BooleanField(verbose_name="voix prépondérante du président")),
                ("runs", models.JSONField(verbose_name="notations à l’ouverture")),
                ("opened_at", models.DateTimeField(verbose_name="ouverte le")),
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
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="ouverte par",
                    ),
                ),
            ],
            options={
                "verbose_name": "séance du jury",
                "verbose_name_plural": "séances du jury",
            },
        ),
        migrations.CreateModel(
            name="Minutes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.JSONField(verbose_name="contenu")),
                ("digest", models.CharField(max_length=64, verbose_name="empreinte")),
                ("signed_at", models.DateTimeField(verbose_name="signé le")),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="minutes",
                        to="grading.jurysession",
                        verbose_name="séance",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="signé par",
                    ),
                ),
            ],
            options={
                "verbose_name": "procès-verbal",
                "verbose_name_plural": "procès-verbaux",
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("NEUTRALISE", "Neutraliser"),
                            ("REKEY", "Changer la clé"),
                            ("RESTORE", "Rétablir le sujet"),
                        ],
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                ("questions", models.JSONField(verbose_name="questions")),
                (
                    "mode",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("RESCALE", "Retirée, ses points vont aux autres"),
                            ("FULL", "Points accordés à tous"),
                        ],
                        max_length=10,
                        verbose_name="mode",
                    ),
                ),
                ("key", models.JSONField(null=True, verbose_name="nouvelle clé")),
                ("reason", models.TextField(verbose_name="motif")),
                ("proposed_at", models.DateTimeField(verbose_name="proposée le")),
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
                    "paper",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exams.paper",
                        verbose_name="sujet",
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
            ],
            options={
                "verbose_name": "proposition au jury",
                "verbose_name_plural": "propositions au jury",
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_adopted", models.BooleanField(verbose_name="adoptée")),
                ("votes_for", models.PositiveSmallIntegerField(verbose_name="pour")),
                ("votes_against", models.PositiveSmallIntegerField(verbose_name="contre")),
                ("abstentions", models.PositiveSmallIntegerField(verbose_name="abstentions")),
                ("by_casting_vote", models.BooleanField(verbose_name="par la voix prépondérante")),
                ("decided_at", models.DateTimeField(verbose_name="vote clos le")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="vote clos par",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="grading.jurysession",
                        verbose_name="séance",
                    ),
                ),
                (
                    "proposal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decision",
                        to="grading.proposal",
                        verbose_name="proposition",
                    ),
                ),
            ],
            options={
                "verbose_name": "décision du jury",
                "verbose_name_plural": "décisions du jury",
            },
        ),
        migrations.CreateModel(
            name="Ballot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "choice",
                    models.CharField(
                        choices=[("FOR", "Pour"), ("AGAINST", "Contre"), ("ABSTAIN", "Abstention")],
                        max_length=10,
                        verbose_name="vote",
                    ),
                ),
                ("cast_at", models.DateTimeField(verbose_name="voté le")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="membre",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ballots",
                        to="grading.jurysession",
                        verbose_name="séance",
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ballots",
                        to="grading.proposal",
                        verbose_name="proposition",
                    ),
                ),
            ],
            options={
                "verbose_name": "vote",
                "verbose_name_plural": "votes",
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="question")),
                ("text", models.TextField(verbose_name="remarque")),
                ("written_at", models.DateTimeField(verbose_name="écrite le")),
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
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
            ],
            options={
                "verbose_name": "remarque",
                "verbose_name_plural": "remarques",
            },
        ),
        migrations.CreateModel(
            name="SpellingOpinion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="question")),
                ("form", models.CharField(max_length=400, verbose_name="forme")),
                ("text", models.CharField(max_length=400, verbose_name="réponse")),
                (
                    "category",
                    models.CharField(
                        choices=[("EXACT", "Exacte"), ("ACCEPTABLE", "Acceptable"), ("WRONG", "Fausse")],
                        max_length=10,
                        verbose_name="catégorie",
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(verbose_name="tour")),
                ("place", models.PositiveSmallIntegerField(verbose_name="rang de l’avis")),
                ("given_at", models.DateTimeField(verbose_name="donné le")),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
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
            ],
            options={
                "verbose_name": "avis sur une réponse",
                "verbose_name_plural": "avis sur les réponses",
            },
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="membre",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="presences",
                        to="grading.jurysession",
                        verbose_name="séance",
                    ),
                ),
            ],
            options={
                "verbose_name": "présence",
                "verbose_name_plural": "présences",
                "constraints": [
                    models.UniqueConstraint(fields=("session", "member"), name="presence_once_per_session")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("key__isnull", True), ("kind", "NEUTRALISE"), ("mode__in", ["RESCALE", "FULL"])),
                    models.Q(("key__isnull", False), ("kind", "REKEY"), ("mode", "")),
                    models.Q(("key__isnull", True), ("kind", "RESTORE"), ("mode", "")),
                    _connector="OR",
                ),
                name="proposal_says_what_its_kind_needs",
            ),
        ),
        migrations.AddConstraint(
            model_name="ballot",
            constraint=models.UniqueConstraint(fields=("proposal", "member"), name="ballot_once_per_member"),
        ),
        migrations.AddConstraint(
            model_name="spellingopinion",
            constraint=models.UniqueConstraint(
                fields=("paper", "number", "form", "round", "place"), name="spellingopinion_place_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="spellingopinion",
            constraint=models.UniqueConstraint(
                fields=("paper", "number", "form", "round", "given_by"), name="spellingopinion_by_two_people"
            ),
        ),
        migrations.AddConstraint(
            model_name="spellingopinion",
            constraint=models.CheckConstraint(
                condition=models.Q(("place__in", (1, 2))), name="spellingopinion_first_or_second"
            ),
        ),
        *(refuse_changes(f"grading_{name}") for name in TABLES),
    ]
