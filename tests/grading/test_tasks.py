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
