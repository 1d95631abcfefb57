"""What a configuration of nginx bounds, ours and anybody's."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecni.preflight.proxyfile import Directive, Server, Shared, Unparsable, parse, read_proxy

SHIPPED = Path(__file__).parents[2] / "docs" / "nginx.conf"


def test_the_one_that_is_shipped():
    file = read_proxy(SHIPPED)
    assert (file.workers, file.connections, file.descriptors) == (4, 65_472, 65_536)
    assert (file.ports, file.backlog, file.queues) == ((8443,), 4096, 4)
    assert [server.address for server in file.servers] == ["sockets-1:8000", "sockets-2:8000"]
    assert all(server.most for server in file.servers)


def test_files_that_it_includes_and_defaults(tmp_path):
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.conf").write_text(
        """
        limit_conn_zone $server_name zone=all:10m;
        limit_conn_zone $binary_remote_addr zone=each:10m;
        upstream wire { server 10.0.0.1:8000 max_conns=500; server 10.0.0.2:8000; server 10.0.0.3 down; }
        server {
          listen 443 ssl; listen [::]:443 ssl;
          limit_conn all 8000;
          location /ws/copie/ { limit_conn each 20; proxy_pass http://wire; }
          location /entrer/ { limit_conn each 15; limit_conn all 7000; }
          location "~^/a{2};" { return 404; } # a comment; with { signs
        }
        server { listen 80; limit_conn all 5; }
        """
    )
    path = tmp_path / "nginx.conf"
    path.write_text("user www-data;\nevents { }\nhttp { include sites/*.conf; include /nowhere/*.conf; }\n")
    file = read_proxy(path)
    assert (file.workers, file.connections, file.descriptors, file.backlog, file.queues) == (1, 512, None, 511, 1)
    assert file.servers == (Server("10.0.0.1:8000", 500), Server("10.0.0.2:8000", 0))
    assert (file.ports, file.shared) == (
        (443,),
        (Shared("$binary_remote_addr", 15), Shared("$binary_remote_addr", 20)),
    )


def test_servers_that_a_cookie_chooses(tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text("""
        http {
          map $cookie_centre $wire { ~7$ one; default two; }
          upstream one { server 10.0.0.1:8000; server 10.0.0.2:8000 backup; }
          upstream two { server 10.0.0.2:8000; server 10.0.0.1:8000 backup; }
          server { listen 443; location /ws/copie/ { proxy_pass http://$wire; } }
        }""")
    assert read_proxy(path).servers == (Server("10.0.0.1:8000", 0), Server("10.0.0.2:8000", 0))


def test_words_and_signs():
    assert parse("map $a $b { default ''; \"~{;\" 1; }") == (
        Directive("map", ("$a", "$b"), (Directive("default", ("",)), Directive("~{;", ("1",)))),
    )


@pytest.mark.parametrize("text", ["http {", "}", "events }", "un deux trois", ";", "http { a }"])
def test_what_is_no_configuration_is_refused(text):
    with pytest.raises(Unparsable):
        parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"http {\n server {\n listen 443\n }\n}", "point-virgule qui manque, près de « listen 443 »"),
        (b"worker_processes deux;", "« deux » n’est pas un nombre"),
        (b"events { worker_connections 1k; }", "« 1k » n’est pas un nombre"),
        (b"events { worker_connections 10 }", "près de « worker_connections 10 »"),
        (b"user www;\nuser 'www;", "ligne 2 : guillemet qui manque"),
        (b"http { map; }", "une directive sans ses valeurs"),
        (b"\xff\xfe", "ce n’est pas un texte"),
        (b"include '';", "un « include » qui ne mène à aucun fichier"),
        (b"include /;", "un « include » qui ne mène à aucun fichier"),
        (b"include nginx.conf;", "ou à lui-même"),
    ],
)
def test_the_reason_is_told_with_its_place(tmp_path, text, why):
    path = tmp_path / "nginx.conf"
    path.write_bytes(text)
    with pytest.raises(Unparsable, match=re.escape(why)) as refusal:
        read_proxy(path)
    assert str(refusal.value).startswith(f"{path} : ")


@given(st.data())
def test_a_configuration_that_lost_or_doubled_some_words_is_read_or_refused(tmp_path_factory, data):
    words = SHIPPED.read_text().split(" ")
    first = data.draw(st.integers(0, len(words) - 1))
    count = data.draw(st.integers(1, 5))
    words[first : first + count] = words[first : first + count] * data.draw(st.sampled_from([0, 2]))
    path = tmp_path_factory.getbasetemp() / "mutilated.conf"
    path.write_text(" ".join(words))
    with suppress(Unparsable):
        read_proxy(path)
