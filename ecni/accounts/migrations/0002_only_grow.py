"""The log of deeds only grows."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [refuse_changes("accounts_deed")]
