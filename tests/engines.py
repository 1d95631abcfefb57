"""Private PostgreSQL and Redis for one run of pytest; loaded by `-p`, before Django reads its settings.

Several runs may go on side by side: each has its own engines, each xdist worker its own database and Redis databases.
Set DATABASE_URL and REDIS_URL to run on other servers.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from ecni.engines import engines
from ecni.env import redis_database

REDIS_DATABASES_PER_WORKER = 3


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    os.environ.setdefault("ECNI_ENV", "test")
    if "DATABASE_URL" not in os.environ:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecni-tests-")))
        folder.chmod(0o711)
        os.environ |= stack.enter_context(engines(folder)).environment
        os.environ |= {f"{name.upper()}_ROOT": str(folder / name) for name in ("papers", "results", "static")}
        stack.callback(lambda: [os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL")])
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        offset = REDIS_DATABASES_PER_WORKER * (int(worker.removeprefix("gw")) + 1)
        os.environ["REDIS_URL"] = redis_database(os.environ["REDIS_URL"], offset)
        if "RESULTS_ROOT" in os.environ:
            os.environ["RESULTS_ROOT"] += f"-{worker}"  # runs of two databases have the same numbers
    return (yield)
