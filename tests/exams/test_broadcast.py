import socket
import time

import pytest

from centres.queries.boards import national_board
from ecni.shared.clock import now
from ecni.vitals import hints
from exams import broadcast
from exams.actions.centre_sitting import grant_time
from exams.models import CentreSitting, TimeGrant
from tests.exams.sitting import opened, staff
from tests.factories.centres import make_hosting


@pytest.fixture
def _redis_away(settings):
    settings.REDIS_HINTS_URL = "redis://127.0.0.1:1/0"
    broadcast._redis.cache_clear()
    yield
    broadcast._redis.cache_clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_redis_away")
def test_staff_acts_go_through_without_redis():
    centre_sitting = opened(count=1, now=now())
    before = CentreSitting.objects.get(pk=centre_sitting.pk).revision
    grant_time(
        centre_sitting_id=centre_sitting.pk, sheet_ids=None, seconds=300, reason="alarme", actor=staff(), now=now()
    )
    assert TimeGrant.objects.count() == 1
    assert CentreSitting.objects.get(pk=centre_sitting.pk).revision == before + 1


@pytest.mark.usefixtures("_redis_away")
def test_presence_is_not_known_without_redis():
    assert broadcast.presence(1) is None
    assert broadcast.presences([1, 2]) is None


@pytest.mark.django_db
def test_a_redis_that_says_nothing_makes_one_board_wait_not_each(settings, monkeypatch):
    monkeypatch.setattr(broadcast, "_asked", broadcast._Asking())
    hosting = make_hosting(count=1)
    clients = (broadcast._redis, hints._shared)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.REDIS_HINTS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        for client in clients:
            client.cache_clear()
        began = time.monotonic()
        assert broadcast.presence(1) is None
        waited = time.monotonic() - began
        began = time.monotonic()
        assert [broadcast.presence(2), *broadcast.doors(0), broadcast.presence(3)] == [None, None]
        assert "Redis ne répond pas" in national_board([hosting], now())["limits"][0]["word"]
        assert time.monotonic() - began < waited / 4
    for client in clients:
        client.cache_clear()
