import os
import subprocess
import sys
from threading import Barrier, Thread

import pytest
from django.db import connection
from time_machine import travel

from ecni.accounts.enums import Role
from grading import tasks
from grading.actions.runs import CHUNK_DEADLINE, start_marking
from grading.enums import MarkingState
from grading.models import MarkingRun, SheetMark
from tests.factories.exams import NOW, make_exam, sit, user

PERFECT = ("B", "AC", "AB", "E", "AC")


@pytest.fixture
def sitting():
    sitting = make_exam().sittings.get(number=1)
    sit(sitting, {f"K2-{number:04}": PERFECT for number in range(1, 8)})
    return sitting


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.mark.django_db
def test_run_launched_marks_itself_once_committed(sitting, agency, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True) as sent:
        run = tasks.launch_marking(sitting_id=sitting.pk, actor=agency, now=NOW, reason="")
    run.refresh_from_db()
    assert (len(sent), run.state) == (1, MarkingState.DONE)


@pytest.mark.django_db
def test_chunks_whose_message_was_lost_are_swept_up(sitting, agency):
    run = start_marking(sitting_id=sitting.pk, actor=agency, now=NOW, chunk_sheets=2)
    with travel(NOW + CHUNK_DEADLINE, tick=False):
        tasks.sweep_marking.delay()
    run.refresh_from_db()
    assert (run.state, SheetMark.objects.count()) == (MarkingState.DONE, 7)


@pytest.mark.django_db(transaction=True)
def test_every_chunk_sent_to_four_workers_at_once_is_marked_once(sitting, agency):
    run = start_marking(sitting_id=sitting.pk, actor=agency, now=NOW, chunk_sheets=2)
    chunks = list(run.chunks.values_list("pk", flat=True))
    together = Barrier(4)

    def work(order):
        try:
            together.wait(10)
            for chunk_id in order:
                tasks.mark_chunk(chunk_id=chunk_id)
        finally:
            connection.close()

    orders = [chunks, chunks[::-1], chunks[1:] + chunks[:1], chunks]
    workers = [Thread(target=work, args=(order,)) for order in orders]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    run = MarkingRun.objects.get()
    assert (run.state, run.failure) == (MarkingState.DONE, "")
    assert {chunk.attempts for chunk in run.chunks.all()} == {1}
    assert sorted(SheetMark.objects.values_list("number", flat=True)) == [f"K2-{number:04}" for number in range(1, 8)]


WORKER = """
import django, time
django.setup()
from datetime import datetime
from django.db import transaction
from grading.actions import chunks
from grading.models import SheetMark
now = datetime.fromisoformat("{now}")
attempt = chunks._claim(chunk_id={chunk}, now=now)
with transaction.atomic():
    chunks._mark(chunk_id={chunk}, attempt=attempt, now=now)
    print(SheetMark.objects.count(), flush=True)
    time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_worker_killed_in_the_middle_leaves_nothing_and_its_chunk_is_marked_by_another(sitting, agency):
    run = start_marking(sitting_id=sitting.pk, actor=agency, now=NOW)
    chunk = run.chunks.get()
    place = connection.settings_dict
    address = f"postgresql://{place['USER']}:{place['PASSWORD']}@/{place['NAME']}?host={place['HOST']}"
    if place["PORT"]:
        address = address.replace("@/", f"@:{place['PORT']}/")
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER.format(now=NOW.isoformat(), chunk=chunk.pk)],
        env=os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "ecni.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout.readline() == "7\n"
    finally:
        worker.kill()
        worker.communicate(timeout=10)
    assert SheetMark.objects.count() == 0
    with travel(NOW + CHUNK_DEADLINE, tick=False):
        tasks.sweep_marking.delay()
    run.refresh_from_db()
    assert (run.state, SheetMark.objects.count(), run.chunks.get().attempts) == (MarkingState.DONE, 7, 2)
