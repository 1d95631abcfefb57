import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ecni.shared.appendonly import refuse_changes

ONE_STANDING_LIFT = """
CREATE FUNCTION ecni_one_standing_lift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM exams_exam WHERE id = NEW.exam_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM ranking_anonymitylift lift
        WHERE lift.exam_id = NEW.exam_id AND lift.step = 2
        AND NOT EXISTS (SELECT 1 FROM ranking_rankingwithdrawal gone WHERE gone.run_id = lift.run_id)
    ) THEN
        RAISE EXCEPTION 'anonymitylift_one_standing' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ranking_anonymitylift_one_standing BEFORE INSERT ON ranking_anonymitylift
    FOR EACH ROW WHEN (NEW.step = 2) EXECUTE FUNCTION ecni_one_standing_lift();
"""
BACK = """
DROP TRIGGER ranking_anonymitylift_one_standing ON ranking_anonymitylift;
DROP FUNCTION ecni_one_standing_lift();
"""


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
        migrations.RunSQL(ONE_STANDING_LIFT, BACK),
        refuse_changes("ranking_rankingwithdrawal"),
        refuse_changes("ranking_rankingrun_marking_runs"),
    ]
