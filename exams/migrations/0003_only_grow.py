"""What the exam records only grows."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("exams", "0002_journal")]

    operations = [refuse_changes(f"exams_{model}") for model in ("journalentry", "timegrant", "frozensheet")]
