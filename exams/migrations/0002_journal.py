"""The journal, partitioned by sitting: Django knows the model, PostgreSQL's own words make the table."""

from django.db import migrations, models

TABLE = """
CREATE TABLE exams_journalentry (
    sitting_id integer NOT NULL,
    sheet_id integer NOT NULL,
    seq integer NOT NULL,
    epoch smallint NOT NULL,
    kind smallint NOT NULL,
    question smallint NOT NULL,
    made_at bigint NOT NULL,
    received_at timestamptz NOT NULL,
    digest bytea NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (sitting_id, sheet_id, seq)
) PARTITION BY LIST (sitting_id);
"""


class Migration(migrations.Migration):
    dependencies = [("exams", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE exams_journalentry;")],
            state_operations=[
                migrations.CreateModel(
                    name="JournalEntry",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "sitting_id",
                                "sheet_id",
                                "seq",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("sitting_id", models.IntegerField()),
                        ("sheet_id", models.IntegerField()),
                        ("seq", models.IntegerField()),
                        ("epoch", models.SmallIntegerField()),
                        (
                            "kind",
                            models.SmallIntegerField(
                                choices=[
                                    (1, "Réponse"),
                                    (2, "Validation définitive"),
                                    (3, "Signalement"),
                                    (4, "Proposition barrée"),
                                    (5, "Remise"),
                                ]
                            ),
                        ),
                        ("question", models.SmallIntegerField()),
                        ("value", models.TextField()),
                        ("made_at", models.BigIntegerField(help_text="horloge de la tablette, millisecondes")),
                        ("received_at", models.DateTimeField()),
                        ("digest", models.BinaryField()),
                    ],
                    options={
                        "verbose_name": "acte de candidat",
                        "verbose_name_plural": "actes de candidats",
                    },
                ),
            ],
        ),
    ]
