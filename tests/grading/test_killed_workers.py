"""Real Celery workers, killed again and again in the middle of a marking: not a byte changes."""

import sys
import time
from random import Random
from urllib.parse import quote

import pytest
from django.db import connection

from ecni.accounts.enums import Role
from ecni.celery import app
from ecni.shared.clock import now
from ecni.supervisor import Supervisor
from exams.rules.answers import letters_of
from grading import tasks
from grading.actions.runs import CHUNK_DEADLINE, start_marking, sweep
from grading.enums import MarkingState
from grading.models import MarkingChunk, SheetMark
from tests.factories.exams import make_exam, sit, user
from tests.factories.grading import mark_sitting

WORKERS, KILLS, PATIENCE = 2, 3, 60
SHEETS = 240


@pytest.fixture
def sitting(transactional_db):
    rng = Random(9)
    sitting = make_exam([[("QI", [("QRM", "TTFFX")])] * 30]).sittings.get()
    sit(sitting, {f"K2-{n:04}": [letters_of(rng.randrange(32)) for _ in range(30)] for n in range(SHEETS)})
    return sitting


@pytest.fixture
def queue():
    """Messages go to Redis and to workers of their own, as in production."""
    before, app.conf.task_always_eager = app.conf.task_always_eager, False
    app.control.purge()
    yield
    app.control.purge()
    app.conf.task_always_eager = before


@pytest.fixture
def crew(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        yield supervisor


def start_workers(crew, wave):
    place = connection.settings_dict
    env = {"DATABASE_URL": f"postgresql://ecni@/{place['NAME']}?host={quote(place['HOST'])}", "ROLE": "worker"}
    command = [sys.executable, "-m", "celery", "-A", "ecni", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
    names = [f"worker-{wave}-{number}" for number in range(WORKERS)]
    for name in names:
        crew.start(name, [*command, "-n", f"{name}@test"], env, keep=True)
    return names


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the workers did not get that far"
        time.sleep(0.005)


def done(run):
    return run.chunks.filter(state=MarkingState.DONE).count()


def send():
    for chunk_id in sweep(now=now()):
        tasks.mark_chunk.delay(chunk_id=chunk_id)


def kill_in_the_middle(run, crew, wave):
    """Let fresh workers mark a chunk at least, and kill them all before the last one."""
    before = done(run)
    send()
    names = start_workers(crew, wave)
    wait(lambda: done(run) > before)
    for name in names:
        crew.kill(name)
    assert done(run) < run.chunks.count()
    assert SheetMark.objects.filter(run=run).count() == 6 * done(run)
    claimed = MarkingChunk.objects.filter(run=run, state=MarkingState.RUNNING)
    claimed.update(started_at=now() - CHUNK_DEADLINE)  # two minutes later


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_workers_killed_while_marking_change_no_byte(sitting, queue, crew):
    agency = user("agence", Role.AGENCY)
    run = start_marking(sitting_id=sitting.pk, actor=agency, now=now(), chunk_sheets=6)
    for wave in range(KILLS):
        kill_in_the_middle(run, crew, wave)
    send()
    start_workers(crew, KILLS)

    def is_finished():
        run.refresh_from_db()
        return run.state not in {MarkingState.PENDING, MarkingState.RUNNING}

    wait(is_finished)
    crew.stop()
    assert (run.state, run.failure) == (MarkingState.DONE, "")
    assert SheetMark.objects.filter(run=run).count() == SHEETS
    undisturbed = mark_sitting(sitting, agency)
    assert (run.digest, run.inputs_digest) == (undisturbed.digest, undisturbed.inputs_digest)
    marks = [list(one.marks.order_by("number").values_list("number", "points", "total")) for one in (run, undisturbed)]
    assert marks[0] == marks[1]
