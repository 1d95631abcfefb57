"""The metrics: all in the document, all in the dashboard, told to nobody without the token."""

import json
import re
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator

from ecni.asgi import application
from ecni.vitals import Gauges, Pressure, Severity, Vitals
from ecni.watch.consumers import METRICS
from ecni.watch.metrics import METRICS as ALL
from ecni.watch.metrics import exposition
from ecni.watch.rules import LAYERS

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef" * 3
SAMPLE = re.compile(r'^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+-]+)$')


def vitals(**changes):
    known = {
        "role": "sockets", "host": 'a"b\\c', "pid": 7, "started_at": 1.0, "at": 2.0,
        "gauges": Gauges(sockets=5000, composing=4900, budget=6000), "acks": 12, "refusals": {"busy": 3}, "logins": 4,
        "http_exchanges": 1, "acks_per_second": 6.0, "logins_per_second": 0.0,
        "loop_lag_ms": 12.5, "gc_pause_ms": 3.0, "descriptors": 5100, "descriptors_limit": 20000,
        "resident_bytes": 2**28, "cpu_share": 0.25,
    }  # fmt: skip
    return Vitals(**known | changes)


def pressure(layer, where, share, severity=Severity.CALM):
    return Pressure(layer, where, share, 1, share, severity, "", "", 0.0)


def samples(text):
    """Read an exposition strictly: name, labels as written, value."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            found[name, labels or ""] = float(value)
    return found


def test_exposition_has_every_metric_with_its_help_and_type():
    text = exposition([vitals(), vitals(pid=8)], [], is_redis_up=True)
    assert re.findall(r"^# HELP (\S+) .", text, re.MULTILINE) == [metric.name for metric in ALL]
    assert re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE) == [(one.name, one.kind) for one in ALL]
    read = samples(text)
    labels = r'{role="sockets",host="a\"b\\c",pid="7"}'
    assert read["ecni_sockets", labels] == 5000
    assert read["ecni_loop_lag_seconds", labels] == 0.0125
    assert read["ecni_refusals_total", labels.replace("}", ',code="busy"}')] == 3
    assert all(name.startswith("ecni_") for name, _ in read)


def test_a_layer_is_as_full_as_its_fullest_part():
    found = [pressure("backlog", "port 1", 0.2), pressure("backlog", "port 2", 1.0, Severity.REACHED)]
    read = samples(exposition([], found, is_redis_up=True))
    assert read["ecni_limit_used_ratio", '{layer="backlog"}'] == 1.0
    assert read["ecni_limit_reached", '{layer="backlog"}'] == 1.0
    assert read["ecni_watch_up", ""] == 1.0


def test_without_redis_only_that_is_told():
    read = samples(exposition([], None, is_redis_up=False))
    assert read == {("ecni_redis_up", ""): 0.0, ("ecni_watch_up", ""): 0.0}


def test_document_and_code_name_the_same_metrics():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(ecni_\w+)` \| (counter|gauge) \|", text, re.MULTILINE)
    assert rows == [(metric.name, metric.kind) for metric in ALL]
    layers = re.findall(r"^\| `([a-z-]+)` \| ", text.split("\n## Events\n")[0], re.MULTILINE)
    assert layers == list(LAYERS)


def test_dashboard_draws_every_metric():
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    named = {name for expression in asked for name in re.findall(r"\becni_\w+", expression)}
    assert named == {metric.name for metric in ALL}


async def ask(path, method="GET", **headers):
    wire = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": wire, "query_string": b""}
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(10)
    body = (await communicator.receive_output(10))["body"]
    application.monitor.stop()
    return start["status"], body.decode(), dict(start["headers"])


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (TOKEN, {"authorization": f"Bearer {TOKEN}"}, 200),
        (TOKEN, {"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        (TOKEN, {"authorization": TOKEN}, 401),
        (TOKEN, {}, 401),
        ("", {}, 401),
        ("", {"authorization": "Bearer "}, 401),
    ],
)
async def test_metrics_are_told_to_the_bearer_of_the_token(settings, token, headers, status):
    settings.METRICS_TOKEN = token
    answered, body, sent = await ask(METRICS, **headers)
    assert answered == status
    assert ("ecni_redis_up 1" in body) is (status == 200)
    assert sent[b"cache-control"] == b"no-store"


@pytest.mark.parametrize("path", sorted(application.monitor.paths))
async def test_nothing_is_posted_there(path):
    assert (await ask(path, "POST"))[0] == 405
