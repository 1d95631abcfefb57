"""Every limit that once broke, or could, is found before the day."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from pathlib import Path
from shutil import disk_usage
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ecni.preflight import Asked, Finding, Needs, judged, limits, probe
from ecni.preflight.limits import Spread
from ecni.preflight.probes import free_bytes
from exams.actions.sealing import seal_paper
from exams.models import Sitting
from exams.rules.admission import places
from tests.exams.sitting import staff
from tests.factories.papers import draft_paper

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
EVEN = Spread(fullest=0.5, after_a_death=1.0, largest_centre=0.05)
ALONE = Spread(fullest=1.0, after_a_death=1.0)
NEEDS = Needs(candidates=9800, socket_processes=2, web_processes=2, spread=EVEN)
SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@pytest.mark.parametrize(
    ("finding", "layer", "allows", "is_met"),
    [
        (limits.descriptors(8192, 1000, NEEDS), "descriptors", 13_872, True),
        (limits.descriptors(5256, 1000, NEEDS), "descriptors", 8000, False),
        (limits.descriptors(5256, 2500, NEEDS), "descriptors", 8000, False),
        (limits.descriptors(20_000, 2500, Needs(17_244, 1, 1, ALONE)), "descriptors", 17_244, True),
        (limits.descriptors(20_000, 2500, Needs(17_245, 1, 1, ALONE)), "descriptors", 17_244, False),
        (limits.backlog(4096, 4096, 1.0, NEEDS), "backlog", 20_480, True),
        (limits.backlog(1600, 4096, 1.0, NEEDS), "backlog", 8000, False),
        (limits.backlog(65_535, 4096, 1.0, Needs(36_000, 4, 4, EVEN)), "backlog", 20_480, False),
        (limits.backlog(65_535, 4096, 0.375, Needs(36_000, 4, 4, EVEN)), "backlog", 54_613, True),
        (limits.ephemeral_ports(32768, 60999, NEEDS), "ephemeral-ports", 28_232, True),
        (limits.ephemeral_ports(32768, 40767, NEEDS), "ephemeral-ports", 8000, False),
        (limits.conntrack(None, NEEDS), "conntrack", None, True),
        (limits.conntrack(16_000, NEEDS), "conntrack", 8000, False),
        (limits.queue(1600, 1.0, NEEDS, "port 8443"), "backlog", 8000, False),
        (limits.queue(800, 0.5, NEEDS, "port 8444"), "backlog", 8000, False),
        (limits.processes(2, NEEDS), "processes", 20_000, True),
        (limits.processes(2, Needs(36_000, 2, 2, EVEN)), "processes", 20_000, False),
        (limits.processes(2, Needs(20_000, 2, 2, limits.supposed_spread(2))), "processes", 13_333, False),
        (limits.concurrency(4000, NEEDS), "server-concurrency", 8000, False),
        (limits.redis_buffers("normal 0 0 0 replica 1 1 60 pubsub 33554432 8388608 60"), "redis-buffers", None, True),
        (limits.redis_buffers("normal 0 0 0 pubsub 0 0 0"), "redis-buffers", None, True),
        (limits.redis_buffers("normal 0 0 0 pubsub 1048576 0 0"), "redis-buffers", None, False),
        (limits.redis_buffers("normal 0 0 0 pubsub 268435456 1048576 1"), "redis-buffers", None, False),
        (limits.redis_buffers("normal 0 0 0 pubsub 0 8388608 10"), "redis-buffers", None, False),
        (limits.redis_buffers("normal 0 0 0 pubsub 0 33554432 10"), "redis-buffers", None, True),
        (limits.running(1, NEEDS), "processes", 4900, False),
        (limits.database_connections(200, 3, NEEDS), "postgresql-connections", None, True),
        (limits.database_connections(46, 3, NEEDS), "postgresql-connections", 7994, False),
        (limits.redis_clients(10_000, NEEDS), "redis-clients", None, True),
        (limits.account_connections("ROLE", "ecni", 43, NEEDS), "postgresql-role", 7994, False),
        (limits.redis_clients(245, NEEDS), "redis-clients", 8003, False),
        (limits.redis_policy("allkeys-lru", 1 << 20), "redis-eviction", None, False),
        (limits.redis_policy("allkeys-lru", 0), "redis-eviction", None, True),
        (limits.channel_layer(limits.PUBSUB, 100), "channel-layer", None, True),
        (limits.channel_layer("channels.layers.InMemoryChannelLayer", 100), "channel-layer", None, False),
        (limits.channel_layer("channels_redis.core.RedisChannelLayer", 1_999), "channel-layer", None, False),
        (limits.channel_layer("channels_redis.core.RedisChannelLayer", 2_000), "channel-layer", None, True),
        (limits.channel_layer("elsewhere.Layer", 2_000), "channel-layer", None, None),
        (limits.disk("postgresql-disk", 8000 * limits.BYTES_PER_CANDIDATE, NEEDS), "postgresql-disk", 8000, False),
        (limits.disk("postgresql-disk", None, NEEDS), "postgresql-disk", None, None),
        (limits.clock("redis-clock", NOW - timedelta(seconds=1), NOW, NOW), "redis-clock", None, False),
        (
            limits.clock("redis-clock", NOW, NOW - timedelta(5), NOW - timedelta(seconds=0.1)),
            "redis-clock",
            None,
            True,
        ),
    ],
)
def test_each_limit_says_how_many_it_lets_in(finding, layer, allows, is_met):
    assert (finding.layer, finding.allows, finding.is_met) == (layer, allows, is_met)
    assert (finding.remedy == "") is (is_met is True)


SHARES = st.tuples(st.integers(1, 500), st.integers(0, 500)).map(lambda two: two[0] / sum(two))


@hypothesis_settings(deadline=None)
@given(st.integers(1, 30_000), SHARES, st.integers(0, 5_000))
def test_the_descriptors_of_a_remedy_are_enough_and_none_too_many(candidates, share, reserve):
    needs = Needs(candidates, 1, 1, Spread(fullest=share, after_a_death=1.0))
    needed = int(re.search(r"ulimit -n (\d+)", limits.descriptors(0, reserve, needs).remedy)[1])
    for count, is_enough in ((needed, True), (needed - 1, False)):
        room = places(budget=1 << 30, reserve=reserve, descriptors=count).budget
        finding = limits.descriptors(count, reserve, needs)
        assert (room >= ceil(candidates * share), finding.is_met) == (is_enough, is_enough)


@hypothesis_settings(deadline=None)
@given(st.integers(0, 30_000), SHARES)
def test_no_candidate_is_lost_or_made_by_rounding_a_share(most, share):
    allowed = limits.held(most, share)
    assert ceil(allowed * share) <= most < ceil((allowed + 1) * share)


@pytest.mark.parametrize("name", SAFE)
def test_an_acknowledgement_rests_on_three_settings(name):
    findings = limits.durability(SAFE | {name: "off"})
    assert [finding.layer for finding in findings if not finding.is_met] == [f"postgresql-{name}"]
    assert all(finding.is_met for finding in limits.durability(SAFE))


FINDINGS = st.builds(
    Finding,
    layer=st.text(max_size=3),
    value=st.just(""),
    needed=st.just(""),
    allows=st.none() | st.integers(0, 99),
    is_met=st.sampled_from([True, False, None]),
)


@given(st.lists(FINDINGS))
def test_what_is_missing_is_read_first_then_the_smallest(findings):
    order = [({False: 0, None: 1, True: 2}[f.is_met], 100 if f.allows is None else f.allows) for f in judged(findings)]
    assert order == sorted(order)
    assert len(order) == len(findings)


def certificate(path, days):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    built = x509.CertificateBuilder(
        name, name, key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=days)
    )
    path.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def sealed(db, tmp_path, settings):
    settings.PAPERS_ROOT = tmp_path
    paper = draft_paper(staff())
    return seal_paper(paper_id=paper.pk, actor=staff(), now=NOW)


def found(**options):
    findings = probe(asked=Asked(9800, **{"nginx": ROOT / "docs" / "nginx.conf"} | options), now=NOW)
    return {finding.layer: finding for finding in findings}


def test_probe_reads_the_real_engines(sealed):
    findings = found()
    for layer in ("postgresql-fsync", "postgresql-connections", "redis-eviction", "redis-clients", "processes"):
        assert findings[layer].is_met
    assert findings[f"paper {sealed}"].is_met


def test_a_database_without_its_tables_is_not_said_to_be_away(db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE exams_limitchange RENAME TO elsewhere")
        finding = found()["postgresql"]
        transaction.set_rollback(True)
    assert (finding.is_met, finding.remedy, "injoignable" in finding.value) == (False, "manage.py migrate", False)


def test_the_disk_is_the_fuller_of_that_of_the_data_and_that_of_the_wal(tmp_path):
    shared = Path("/dev/shm")
    if not shared.is_dir():
        pytest.skip("needs a second file system")
    least = min(disk_usage(tmp_path).free, disk_usage(shared).free)
    (tmp_path / "pg_wal").symlink_to(shared)
    assert free_bytes(tmp_path) == pytest.approx(least, rel=0.05)
    assert free_bytes(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("configuration", "value", "is_met"),
    [
        ({}, "100", False),
        ({"CONFIG": {"capacity": 1500}}, "1\u202f500", False),
        ({"CONFIG": {"capacity": 2000}}, "2\u202f000", True),
    ],
)
def test_probe_reads_the_capacity_of_the_channel_layer(db, settings, configuration, value, is_met):
    assert found()["channel-layer"].value == "files sans limite"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"} | configuration}
    finding = found()["channel-layer"]
    assert (finding.value, finding.is_met) == (value, is_met)


class Cache(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture
def cache(tmp_path):
    """A centre's own copy of the papers, served over HTTP."""
    (tmp_path / "centre" / "sujets").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Cache, directory=tmp_path / "centre")) as server:
        Thread(target=server.serve_forever).start()
        yield tmp_path / "centre" / "sujets", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_probe_finds_a_paper_that_is_lost_or_damaged_in_a_centre(sealed, settings, cache):
    folder, address = cache
    name = f"{sealed.digest}.ecni"
    remedies = []
    for copied in (None, b"x", (settings.PAPERS_ROOT / name).read_bytes()):
        if copied is not None:
            (folder / name).write_bytes(copied)
        findings = probe(asked=Asked(9800, caches=[address]), now=NOW)
        remedies.append({f.needed: f.remedy for f in findings if f.layer == f"paper {sealed}"})
    here, there = "lisible depuis PAPERS_ROOT", f"lisible depuis {address}"
    damaged, lost = "Sujet altéré : le copier de nouveau", "Sujet introuvable : l’y copier"
    assert remedies == [{here: "", there: lost}, {here: "", there: damaged}, {here: "", there: ""}]
    (settings.PAPERS_ROOT / name).unlink()
    assert found()[f"paper {sealed}"].remedy == lost


def test_probe_says_that_a_paper_cannot_be_read_and_goes_on(sealed, settings):
    path = settings.PAPERS_ROOT / f"{sealed.digest}.ecni"
    path.unlink()
    path.mkdir()  # whatever its rights, an administrator reads any file
    findings = found()
    assert findings[f"paper {sealed}"].remedy.startswith("Sujet illisible (")
    assert findings["redis-clients"].is_met


def test_probe_reads_the_proxy_that_is_shipped_and_a_certificate(sealed, tmp_path):
    findings = found(nginx=ROOT / "docs" / "nginx.conf", certificate=certificate(tmp_path / "short.pem", 1))
    assert findings["nginx"].is_met
    assert not findings["tls-certificate"].is_met
    assert found(certificate=certificate(tmp_path / "long.pem", 400))["tls-certificate"].is_met


def test_a_queue_that_every_server_asks_for_is_not_raised_by_the_kernel():
    finding = limits.backlog(65_535, 4096, 1.0, Needs(36_000, 4, 4, EVEN))
    assert "sysctl" not in finding.remedy
    assert "sysctl net.core.somaxconn=1960" in limits.backlog(1600, 4096, 1.0, NEEDS).remedy


def test_a_certificate_must_outlive_sittings_whose_paper_is_not_sealed_yet(db, tmp_path):
    Sitting.objects.filter(pk=draft_paper(staff()).sitting_id).update(starts_at=NOW + timedelta(days=60))
    assert not found(certificate=certificate(tmp_path / "short.pem", 30))["tls-certificate"].is_met
    assert found(certificate=certificate(tmp_path / "long.pem", 90))["tls-certificate"].is_met


def test_command_fails_on_a_hidden_limit_and_names_it_first(sealed, tmp_path, capsys):
    conf = tmp_path / "nginx.conf"
    conf.write_text("worker_processes 1;\nworker_rlimit_nofile 65536;\nevents { worker_connections 16000; }\n")
    with pytest.raises(SystemExit) as left:
        call_command("preflight", "--candidates", "9800", "--nginx", str(conf), "--json")
    first = json.loads(capsys.readouterr().out)[0]
    assert (left.value.code, first["layer"], first["allows"]) == (1, "nginx", 8000)
    with pytest.raises(SystemExit):
        call_command("preflight", "--candidates", "9800", "--nginx", str(conf))
    assert "Cède en premier : nginx, à 8000 candidats." in capsys.readouterr().out


@pytest.mark.django_db
def test_a_file_that_cannot_be_understood_is_a_finding_with_its_reason(tmp_path):
    path = tmp_path / "broken"
    path.write_text("events { worker_connections 1k; }")
    findings = found(nginx=path, certificate=path)
    assert (findings["nginx"].is_met, findings["nginx"].where) == (False, str(path))
    assert "« 1k » n’est pas un nombre" in findings["nginx"].value
    assert (findings["tls-certificate"].is_met, findings["tls-certificate"].value) == (False, "aucun certificat en PEM")
    assert findings["tls-certificate"].remedy


@pytest.mark.parametrize(
    "option", ["--candidates=0", "--candidates=beaucoup", "--nginx=/nulle/part", "--tls=/nulle/part"]
)
def test_command_refuses_what_it_cannot_read(option):
    with pytest.raises(CommandError):
        call_command("preflight", option)
