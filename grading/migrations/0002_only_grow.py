"""Marks are written once."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("grading", "0001_initial")]

    operations = [refuse_changes("grading_sheetmark")]
