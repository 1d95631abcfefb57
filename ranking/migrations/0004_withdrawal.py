import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("ranking", "0003_publication"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RankingWithdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=500, verbose_name="motif")),
                ("withdrawn_at", models.DateTimeField(verbose_name="retiré le")),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="ranking.rankingrun",
                        verbose_name="classement",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="auteur",
                    ),
                ),
            ],
            options={
                "verbose_name": "retrait d’un classement",
                "verbose_name_plural": "retraits de classements",
            },
        ),
        migrations.RemoveConstraint(model_name="anonymitylift", name="anonymitylift_once_per_exam"),
        refuse_changes("ranking_rankingwithdrawal"),
        refuse_changes("ranking_rankingrun_marking_runs"),
    ]
