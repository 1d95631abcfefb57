"""What every test may ask for."""

import os
from urllib.parse import quote

import pytest
from django.db import connection

from ecni.supervisor import SERVERS, Supervisor, listening_socket
from ecni.vitals import REPORTER
from tests import chromium


def pytest_addoption(parser):
    parser.addoption(
        "--asgi-server", choices=SERVERS, default="daphne", help="what serves the tests with a real server"
    )


def pytest_collection_modifyitems(items):
    """Run browser tests last and on one worker: the browser's driver leaves an event loop running in its thread.

    What lasts as long as all others together comes first, so that nobody waits for it at the end.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(
        key=lambda item: (item.get_closest_marker("browser") is not None, not item.get_closest_marker("longest"))
    )


def pytest_sessionfinish():
    """End what the ASGI application of this process started, before its Redis goes."""
    REPORTER.stop()


def pytest_runtest_setup(item):
    if item.get_closest_marker("browser"):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # that loop again: the ORM is not called from it


@pytest.fixture(scope="session")
def chromium_path():
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine (make browser)")
    return path


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, chromium_path):
    return browser_type_launch_args | {"executable_path": chromium_path, "args": chromium.LAUNCH_ARGUMENTS}


@pytest.fixture
def server_name(request):
    """The ASGI server of the tests that need a real one; a test of servers parametrizes it."""
    return request.config.getoption("--asgi-server")


@pytest.fixture
def asgi_server(transactional_db, tmp_path, server_name):
    """Serve the house, websockets included, by a real server on the test database; gives its address."""
    listener = listening_socket(0)
    name = connection.settings_dict["NAME"]
    host = connection.settings_dict["HOST"]
    env = {"DATABASE_URL": f"postgresql://ecni@/{name}?host={quote(host)}", "DJANGO_SETTINGS_MODULE": "ecni.settings"}
    with listener, Supervisor(tmp_path) as supervisor:
        supervisor.start(server_name, SERVERS[server_name](listener), env, sockets=[listener])
        supervisor.wait_until_serving(listener)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def django_db_keepdb():
    """Leave the database in place: the engines of a run are thrown away whole."""
    return True
