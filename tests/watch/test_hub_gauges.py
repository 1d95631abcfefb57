"""What the part that holds candidates tells of itself, with a real tablet and a real journal."""

import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from ecni.shared.clock import now
from ecni.vitals import REPORTER, TALLY
from exams.consumers.hub import HubSource
from exams.consumers.socket import CandidateSocket
from tests.exams.sitting import opened
from tests.exams.test_socket import Tablet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def source(transactional_db):
    hub = HubSource()
    yield hub
    hub.stop()
    await sync_to_async(connections.close_all)()


async def test_a_tablet_that_composes_is_counted_until_it_leaves(source):
    sheet = await sync_to_async(lambda: opened(count=1, now=now()).sheets.order_by("pk").first())()
    tablet, acks = Tablet(CandidateSocket(source), sheet), TALLY.acks
    await tablet.hello()
    await tablet.act()
    gauges = REPORTER.source()
    assert (gauges.sockets, gauges.composing, TALLY.acks - acks) == (1, 1, 1)
    assert (gauges.commit_max_ms > 0, gauges.batch_size, gauges.stalled_seconds) == (True, 1, 0.0)
    assert 0 == gauges.writer_waiting < gauges.writer_capacity
    refusals = TALLY.refusals["unknown-question"]
    await tablet.act(question=999)
    assert TALLY.refusals["unknown-question"] == refusals + 1
    await tablet.close()
    assert (REPORTER.source().sockets, REPORTER.source().composing) == (0, 0)


async def test_a_commit_that_does_not_end_is_told_before_it_ends(source):
    hub = source()
    hub.writer.pulse.begin()
    time.sleep(0.05)  # noqa: ASYNC251 -- a writer that waits
    assert REPORTER.source().stalled_seconds >= 0.05
    assert REPORTER.source().commit_max_ms >= 50
    hub.writer.pulse.end(0)


async def test_a_hub_that_ends_tells_nothing_more(source):
    source()
    assert REPORTER.source is not None
    source.stop()
    source._hub = None
    assert REPORTER.source is None
