"""Private PostgreSQL and Redis for one run of pytest: loaded by `-p` before Django reads its settings."""

import os

os.environ.setdefault("ECNI_ENV", "test")
