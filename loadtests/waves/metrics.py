"""What servers say of themselves at `/metrics`: pauses that nobody sees from outside, by process.

Any of them answers for all, each line naming its process by `pid`. A platform without metrics is measured all the same.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

PAUSES = {"ecni_loop_lag_seconds": "loop_lag_ms", "ecni_gc_pause_seconds": "gc_pause_ms"}
BUDGETS = {"ecni_sockets": "sockets", "ecni_sockets_budget": "sockets_budget"}
PATIENCE_SECONDS = 2.0
_LINE = re.compile(r'^(\w+)\{[^}]*\bpid="(\d+)"[^}]*\} ([0-9.eE+-]+)$', re.MULTILINE)


def scrape(host: str, token: str) -> Mapping[int, dict[str, float]]:
    """Ask the platform; return its figures by process, none when it has no metrics or does not answer."""
    connection = HTTPConnection(host, timeout=PATIENCE_SECONDS)
    with suppress(OSError, HTTPException), closing(connection):
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        if answer.status == HTTPStatus.OK:
            return parse(answer.read().decode())
    return {}


def parse(text: str) -> dict[int, dict[str, float]]:
    """Read the Prometheus text: pauses in milliseconds, sockets and their budget, by process."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for name, pid, value in _LINE.findall(text):
        if name in PAUSES:
            found[int(pid)][PAUSES[name]] = 1000 * float(value)
        elif name in BUDGETS:
            found[int(pid)][BUDGETS[name]] = float(value)
    return dict(found)
