"""Tables that only grow: PostgreSQL itself refuses to change or remove their rows."""

from django.db import migrations, models

_FUNCTION = """
CREATE OR REPLACE FUNCTION ecni_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % only grows: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""


class AppendOnly(models.Model):
    """A row that is written once. Its table needs `refuse_changes` in the migration that creates it."""

    class Meta:
        abstract = True


def refuse_changes(table: str) -> migrations.RunSQL:
    """Return the migration operation that makes PostgreSQL refuse UPDATE and DELETE on `table`."""
    return migrations.RunSQL(
        sql=f"{_FUNCTION} CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION ecni_refuse_change();",
        reverse_sql=f"DROP TRIGGER {table}_only_grows ON {table};",
    )
