"""Rankings are written once."""

from django.db import migrations

from ecni.shared.appendonly import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("ranking", "0001_initial")]

    operations = [refuse_changes("ranking_rankingrun"), refuse_changes("ranking_rankedsheet")]
