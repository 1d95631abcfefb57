"""A real day of a real server leaves no identity in its log, and every event it writes is in the document."""

import json
import logging
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from centres.queries.slips import printed_slips
from ecni.logs import EVENTS, FIELDS, JsonLines
from tests.factories.centres import make_hosting

ROOT = Path(__file__).parents[2]


def test_every_event_of_the_code_is_listed_and_every_one_listed_is_written_down():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").split("\n## Events\n")[1]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| ([^|:]+?)(?::[^|]*)? \|$", text, re.MULTILINE)) == EVENTS


def test_a_line_says_which_process_and_which_event():
    record = logging.LogRecord("ecni", logging.ERROR, "f.py", 1, "full", (), None)
    record.__dict__ |= {"event": "limit-reached", "layer": "nginx", "ip": "10.0.0.7"}
    line = json.loads(JsonLines("watch").format(record))
    assert {"role": "watch", "event": "limit-reached", "layer": "nginx"}.items() <= line.items()
    assert isinstance(line["pid"], int)
    assert "10.0.0.7" not in json.dumps(line)
    assert not {"name", "user", "username", "ip", "address", "code_of_slip"} & set(FIELDS)


def post(address, **data):
    request = Request(address, urlencode(data).encode(), {"X-Forwarded-For": "203.0.113.9"})
    try:
        return urlopen(request, timeout=30).status
    except HTTPError as error:
        return error.code


@pytest.mark.django_db(transaction=True)
def test_a_real_server_writes_no_identity(tmp_path, asgi_server):
    """Good and bad codes, a page that does not exist, a page that is refused: what the server then has in its log."""
    hosting = make_hosting(state="LOBBY")
    slips = printed_slips(hosting.pk)
    seats = hosting.seats.select_related("candidate", "sheet")
    for slip in slips:
        post(f"{asgi_server}/entrer/identite/", code=slip.code)
    for path in ("/rien/", f"/salle/{hosting.pk}/", "/exploitation/", "/sante/pret/", "/metrics"):
        try:
            urlopen(f"{asgi_server}{path}?nom={seats[0].candidate.last_name}", timeout=30).close()
        except HTTPError as error:
            error.close()
    written = "\n".join(log.read_text(encoding="utf-8") for log in (tmp_path / "logs").glob("*.log"))
    secrets = {slip.code for slip in slips} | {slip.results_code for slip in slips}
    secrets |= {seat.candidate.last_name for seat in seats} | {seat.candidate.official_number for seat in seats}
    assert secrets
    assert sorted(secret for secret in secrets if secret and secret in written) == []
    callers = written.replace(asgi_server.removeprefix("http://"), "")
    assert not re.search(r"203\.0\.113\.9|127\.0\.0\.1:\d+", callers)
    assert all({"role", "pid", "level"} <= set(json.loads(line)) for line in written.splitlines() if line)
