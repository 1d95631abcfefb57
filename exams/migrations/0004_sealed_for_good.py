"""What sealing wrote is never changed: the numbered questions of a paper, and its keys."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("exams", "0003_only_grow")]

    operations = [refuse_changes(f"exams_{model}") for model in ("paperquestion", "paperkey")]
