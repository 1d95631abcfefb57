"""Let PostgreSQL itself refuse to change or remove an incident."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("centres", "0001_initial")]

    operations = [refuse_changes("centres_incident")]
