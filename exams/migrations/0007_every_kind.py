"""What every kind of question needs of a paper, and an EDN of an exam: size of images, shares, minimum mark."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exams", "0006_checkpoints"),
    ]

    operations = [
        migrations.AddField(
            model_name="exam",
            name="rank_a_minimum",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Paramètre publié : en dessous, pas d’appariement (EDN, 14). Vide pour une ECNi.",
                max_digits=4,
                null=True,
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(20)],
                verbose_name="note minimale de rang A, sur 20",
            ),
        ),
        migrations.AddField(
            model_name="exampart",
            name="shared_by",
            field=models.CharField(
                choices=[
                    ("UNIT", "Entre les unités (dossiers, questions isolées)"),
                    ("QUESTION", "Entre les questions"),
                ],
                default="UNIT",
                max_length=10,
                verbose_name="points partagés",
            ),
        ),
        migrations.AddField(
            model_name="paperquestion",
            name="image_height",
            field=models.PositiveIntegerField(null=True, verbose_name="hauteur de l’image à pointer"),
        ),
        migrations.AddField(
            model_name="paperquestion",
            name="image_width",
            field=models.PositiveIntegerField(null=True, verbose_name="largeur de l’image à pointer"),
        ),
        migrations.AlterField(
            model_name="exampart",
            name="code",
            field=models.CharField(
                choices=[
                    ("DP", "Dossiers progressifs"),
                    ("QI", "Questions isolées"),
                    ("UC", "Unités de composition"),
                    ("LCA", "Lecture critique d’articles"),
                ],
                max_length=10,
                verbose_name="partie",
            ),
        ),
    ]
