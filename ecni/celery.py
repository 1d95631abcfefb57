"""The Celery application: its settings are `CELERY` in ecni.settings, its tasks are in each app's `tasks` module."""

import os

from celery import Celery
from celery.signals import beat_init, worker_ready

from ecni.vitals import REPORTER

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecni.settings")

app = Celery("ecni")
app.config_from_object("ecni.settings:CELERY")
app.conf.beat_schedule = {
    "take-checkpoints": {"task": "exams.tasks.take_checkpoints", "schedule": 60.0, "options": {"expires": 60}},
    "sweep-marking": {"task": "grading.tasks.sweep_marking", "schedule": 30.0, "options": {"expires": 30}},
}
app.autodiscover_tasks()


@worker_ready.connect
@beat_init.connect
def report_vitals(**_sender: object) -> None:
    """Say how this process is from now on."""
    REPORTER.start()
