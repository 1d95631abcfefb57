"""One host and containers start the same roles by the same commands; each role serves its own and refuses the rest."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from asgiref.testing import ApplicationCommunicator

from centres.views.entry import CENTRE_COOKIE
from ecni.asgi import FRAMES_PATH, application_of
from ecni.supervisor import BACKLOG, DESCRIPTORS, EVERYTHING, ROLES, House, daphne, nginx
from ecni.supervisor.servers import watch
from ecni.watch.consumers import METRICS, READY

ROOT = Path(__file__).parents[2]
APPS = ("ecni", "exams", "centres", "grading", "ranking")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
SETTINGS = (ROOT / "ecni" / "settings.py").read_text()
PROXY = (ROOT / "docs" / "nginx.conf").read_text()
IN_CONTAINERS = House(Path("/tmp"), 8443, has_proxy=True, behind_proxy=True)
SERVERS = {role.name for role in ROLES if role.command is None}


def services_of(role):
    return {name: service for name, service in SERVICES.items() if re.fullmatch(rf"{role}(-\d+)?", name)}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_containers_have_as_many_of_a_role_as_one_host(role):
    assert len(services_of(role.name)) == role.count


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_container_has_the_environment_of_its_role_and_nothing_of_another(role):
    common = COMPOSE["x-house"]["environment"]
    for service in services_of(role.name).values():
        assert service["environment"] == common | role.environment
        assert (service["ulimits"], service["cap_drop"]) == ({"nofile": DESCRIPTORS}, ["ALL"])
        assert service.get("cpu_shares", 1024) == role.cpu_shares


def test_one_image_is_built_once_and_volumes_have_the_same_name_in_any_folder():
    assert [name for name, service in SERVICES.items() if "build" in service] == ["prepare"]
    assert {SERVICES[name]["image"] for name in set(SERVICES) - {"nginx", "postgres", "redis"}} == {"ecni"}
    assert COMPOSE["name"] == "ecni"


def test_containers_are_the_roles_of_one_host_and_what_they_stand_on():
    ours = {name for role in ROLES for name in services_of(role.name)}
    assert set(SERVICES) - ours == {"prepare", "watch", "nginx", "postgres", "redis"}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_container_runs_the_command_of_its_role(role):
    image = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    ours = role.command(IN_CONTAINERS) if role.command else daphne(("0.0.0.0", 8000), behind_proxy=True)
    for service in services_of(role.name).values():
        command = shlex.split(service["command"]) if "command" in service else image
        assert command == ["python", *ours[1:]]


def test_the_queue_of_a_server_is_as_long_as_it_asks_for():
    for name in (*services_of("web"), *services_of("sockets"), "nginx"):
        assert SERVICES[name]["sysctls"]["net.core.somaxconn"] == BACKLOG


def test_a_server_is_asked_whether_it_is_ready_and_the_watch_watches():
    for name in (*services_of("web"), *services_of("sockets")):
        assert f"http://127.0.0.1:8000{READY}'" in SERVICES[name]["healthcheck"]["test"][-1]
    proxy = {"--nginx-status": f"http://nginx:{nginx.CONTAINERS.status_port}/nginx"}
    watching = watch(f"https://nginx:{nginx.CONTAINERS.port}", proxy=proxy)
    assert shlex.split(SERVICES["watch"]["command"]) == ["python", *watching[1:]]
    assert SERVICES["watch"]["environment"]["ROLE"] == "watch"


def test_nobody_outside_reads_the_metrics():
    assert f"location = {METRICS} {{ return 404; }}" in PROXY


def test_the_proxy_of_containers_is_the_one_of_the_template():
    assert nginx.render(nginx.CONTAINERS) == PROXY
    assert [f"{name}:8000" for name in services_of("sockets")] == list(nginx.CONTAINERS.sockets)
    assert [f"{name}:8000" for name in services_of("web")] == list(nginx.CONTAINERS.web)
    assert SERVICES["nginx"]["command"] == "nginx -p /etc/nginx -c /etc/ecni/nginx.conf -e stderr"
    assert "./docs:/etc/ecni:ro" in SERVICES["nginx"]["volumes"]
    assert SERVICES["nginx"]["ulimits"] == {"nofile": nginx.CONTAINERS.descriptors} == {"nofile": DESCRIPTORS}
    assert set(SERVICES["nginx"]["depends_on"]) == {*services_of("web"), *services_of("sockets")}
    assert not any("restart" in one for one in SERVICES["nginx"]["depends_on"].values())  # it holds every tablet
    assert {port.rpartition(":")[2] for port in SERVICES["nginx"]["ports"]} == {
        "8080",
        "8443",
    }  # not that of the status
    assert all(port.startswith("0.0.0.0:") for port in SERVICES["nginx"]["ports"])


def test_the_proxy_sends_the_candidates_wire_to_its_own_processes_by_centre():
    to_sockets = re.findall(r"location = (\S+) {[^}]* proxy_pass http://\$sockets;", PROXY)
    assert set(to_sockets) == {"/ws/copie/", FRAMES_PATH}
    assert nginx.CENTRE_COOKIE == CENTRE_COOKIE
    assert f"map $cookie_{CENTRE_COOKIE} $sockets " in PROXY


def test_image_takes_every_package_and_is_no_superuser():
    assert set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE)) == {*APPS, "templates", "static"}
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["ecni"]


def test_compose_gives_every_compulsory_variable_and_passes_on_the_others():
    compulsory = re.search(r"_SECRETS = .*?\n_PLACES = [^\n]*", SETTINGS, re.DOTALL)[0]
    given = COMPOSE["x-house"]["environment"]
    assert {name for name, value in given.items() if value} - {"ECNI_ENV"} == set(
        re.findall(r'"([A-Z_0-9]+)"', compulsory)
    )
    others = set(re.findall(r'env_\w+\(\s*"([A-Z_0-9]+)"', SETTINGS)) - {"ECNI_ENV", "ROLE", "DEBUG", "BEHIND_PROXY"}
    assert {name for name, value in given.items() if value is None} == others


def test_settings_know_every_role():
    known = re.search(r"if ROLE not in {(.*)}:", SETTINGS)[1]
    assert {role.name for role in (*ROLES, EVERYTHING)} <= set(re.findall(r'"(\w+)"', known))


# What one host runs


def test_a_house_behind_its_proxy_gives_each_server_a_port_of_its_own():
    posts = House(Path("/x"), 8000, has_proxy=True, counts={"sockets": 3}).posts
    assert [(post.name, post.port) for post in posts] == [
        *(("web-1", 8001), ("web-2", 8002)),
        *(("sockets-1", 8003), ("sockets-2", 8004), ("sockets-3", 8005)),
        *(("worker-1", None), ("beat-1", None)),
    ]


def test_a_house_without_proxy_has_servers_that_do_everything_on_one_socket():
    house = House(Path("/x"), 8000)
    assert [(post.name, post.port) for post in house.posts] == [
        *(("all-1", None), ("all-2", None), ("worker-1", None), ("beat-1", None))
    ]
    assert [house.environment(post)["ROLE"] for post in house.posts] == ["all", "all", "worker", "beat"]


def test_the_schedule_is_kept_by_one_process_and_by_no_worker():
    commands = {role.name: role.command(IN_CONTAINERS) for role in ROLES if role.command}
    assert "--beat" not in commands["worker"]
    assert "beat" in commands["beat"]
    assert next(role.count for role in ROLES if role.name == "beat") == 1


# What each role serves


async def answer(role, scope):
    communicator = ApplicationCommunicator(application_of(role), {"headers": [], **scope})
    first = "websocket.connect" if scope["type"] == "websocket" else "http.request"
    await communicator.send_input({"type": first, "body": b""})
    event = await communicator.receive_output(10)
    if scope["type"] == "websocket":
        await communicator.send_input({"type": "websocket.disconnect", "code": 1001})
    await communicator.wait(10)
    return event


def handshake(path):
    origin = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    return {"type": "websocket", "path": path, "headers": origin}


def request(path, method="GET"):
    return {"type": "http", "path": path, "method": method, "query_string": b"", "headers": [(b"host", b"testserver")]}


@pytest.mark.parametrize(("role", "accepted"), [("web", False), ("sockets", True), ("all", True)])
async def test_only_sockets_take_candidates(role, accepted):
    event = await answer(role, handshake("/ws/copie/"))
    assert (event["type"] == "websocket.accept") is accepted
    status = (await answer(role, request(FRAMES_PATH, "POST")))["status"]
    assert status == (401 if accepted else 404)


@pytest.mark.parametrize(("role", "status"), [("web", 302), ("sockets", 404), ("all", 302)])
@pytest.mark.django_db(transaction=True)
async def test_only_web_has_pages(role, status):
    assert (await answer(role, request("/admin/")))["status"] == status


@pytest.mark.parametrize("role", ["web", "sockets", "all"])
async def test_an_unknown_socket_is_refused(role):
    assert (await answer(role, handshake("/ws/ailleurs/")))["type"] == "websocket.close"


async def test_consoles_are_no_candidates_wire():
    assert (await answer("sockets", handshake("/ws/national/")))["type"] == "websocket.close"
