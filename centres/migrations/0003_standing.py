from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("centres", "0002_only_grow"),
    ]

    operations = [
        migrations.AddField(
            model_name="candidate",
            name="standing",
            field=models.CharField(
                choices=[
                    ("REGULAR", "Régulière"),
                    ("CYCLE_NOT_VALIDATED", "Deuxième cycle non validé"),
                    ("WITHDRAWN", "Candidature retirée"),
                    ("EXCLUDED", "Exclu"),
                ],
                default="REGULAR",
                max_length=20,
                verbose_name="situation",
            ),
        ),
        migrations.AlterField(
            model_name="candidate",
            name="category",
            field=models.CharField(
                choices=[
                    ("STUDENT", "Étudiant"),
                    ("CESP", "Étudiant en contrat d’engagement de service public"),
                    ("MILITARY", "Élève du service de santé des armées"),
                    ("EUROPEAN", "Étudiant d’un autre État européen"),
                    ("AUDITOR", "Auditeur"),
                    ("INTERN", "Interne qui se présente à nouveau"),
                ],
                default="STUDENT",
                max_length=10,
                verbose_name="catégorie",
            ),
        ),
    ]
