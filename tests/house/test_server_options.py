"""An option by which a server would close the sockets of candidates is found on its command line."""

import sys

import pytest

from ecni.preflight.options import server_options
from ecni.supervisor import SERVERS

AT = ("127.0.0.1", 8001)
DAPHNE = "/usr/bin/python -m daphne --websocket_connect_timeout 30"
UVICORN = "/usr/bin/python -m uvicorn --port 8001"


@pytest.mark.parametrize("behind_proxy", [False, True])
@pytest.mark.parametrize("name", SERVERS)
def test_our_own_options_are_safe(name, behind_proxy):
    finding = server_options(" ".join(SERVERS[name](AT, behind_proxy=behind_proxy)))
    assert (finding.layer, finding.value, finding.is_met, finding.remedy) == (
        "server-options",
        "options sûres",
        True,
        "",
    )


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (DAPHNE, ""),
        ("/srv/.venv/bin/daphne", "--websocket_connect_timeout 5"),
        (f"{DAPHNE} --websocket_connect_timeout=5", "--websocket_connect_timeout 5"),
        (f"{DAPHNE} --websocket_connect_timeout 5 --websocket_connect_timeout 20", ""),
        (f"{DAPHNE} --websocket_connect_timeout -1", "--websocket_connect_timeout -1"),
        (f"{DAPHNE} --websocket_timeout 14400", ""),
        (f"{DAPHNE} --websocket_timeout -1", ""),
        (f"{DAPHNE} --websocket_timeout 14399", "--websocket_timeout 14399"),
        (f"{DAPHNE} --ping-timeout 20", ""),
        (f"{DAPHNE} --ping-timeout=19 --websocket_timeout 0", "--websocket_timeout 0, --ping-timeout 19"),
        (UVICORN, ""),
        (f"{UVICORN} --ws-ping-timeout 20.0", ""),
        (f"{UVICORN} --ws-ping-timeout=7.5", "--ws-ping-timeout 7.5"),
        (f"{UVICORN} --limit-max-requests-jitter 5", ""),
        (f"{UVICORN} --limit-max-requests 1000", "--limit-max-requests 1000"),
    ],
)
def test_an_option_that_closes_too_soon_is_named(command, value):
    finding = server_options(f"{command} ecni.asgi:application")
    assert (finding.value, finding.is_met) == (value or "options sûres", not value)
    assert (finding.remedy == "") is finding.is_met


def test_what_to_put_is_said():
    finding = server_options(f"{DAPHNE} --websocket_connect_timeout 5 --websocket_timeout 60 ecni.asgi:application")
    assert finding.needed == "14400, 20"
    wanted = ["--websocket_timeout 14400 au moins", "--websocket_connect_timeout 20 au moins"]
    assert finding.remedy == "relancer avec " + ", avec ".join(wanted)
    finding = server_options(f"{UVICORN} --limit-max-requests=9 ecni.asgi:application")
    assert (finding.needed, finding.remedy) == ("absente", "relancer sans --limit-max-requests")


def test_a_server_that_is_not_known_is_said_to_be():
    finding = server_options(f"{sys.executable} -m hypercorn ecni.asgi:application")
    assert (finding.value, finding.is_met) == ("serveur inconnu", None)
