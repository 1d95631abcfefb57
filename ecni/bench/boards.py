"""What an open console costs: every two seconds the board of its room is read again."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from time import process_time

import redis
from django.conf import settings
from django.db import connection

from centres.models import Hosting, Seat
from centres.queries.boards import room_board
from ecni.bench.measures import PROCESSOR_MS, Measure
from ecni.bench.stand import Stand
from exams.broadcast import Presence, presence_key, publish_presence
from exams.queries.clock import database_now

ROUNDS = 40
ROWS = """
SELECT seat.id, seat.seat_number, sheet.number, sheet.state, sheet.ends_at::text, sheet.extra_seconds
FROM centres_seat AS seat JOIN exams_sheet AS sheet ON sheet.id = seat.sheet_id WHERE seat.hosting_id = %s"""


def boards(stand: Stand) -> list[Measure]:
    """Return what a board of a room where everybody composes costs, beside its rows and presences read bare."""
    stand.scene.set_open()
    hosting = Hosting.objects.select_related("sitting").filter(sitting_id=stand.scene.sitting_id).earliest("pk")
    seats = Seat.objects.filter(hosting=hosting)
    now = database_now()
    at = int(now.timestamp() * 1000)
    seen = Presence(at, at, 12, 13, called=False, online=True, by_http=False)
    publish_presence({hosting.centre_sitting_id: {seat.sheet_id: replace(seen) for seat in seats}})
    floor = _milliseconds(stand, lambda: json.dumps(_bare(hosting)))
    ours = _milliseconds(stand, lambda: json.dumps(room_board(hosting, now)))
    return [
        Measure(
            name=f"board of a room of {len(seats)}",
            value=ours,
            unit=PROCESSOR_MS,
            floor="its rows by one statement, its presences, as JSON",
            floor_value=floor,
            costs={"board_seat_ms": ours / len(seats)},
        )
    ]


def _milliseconds(stand: Stand, work: Callable[[], object]) -> float:
    work()
    spent = process_time() + stand.database_seconds()
    for _ in range(ROUNDS):
        work()
    return 1000 * (process_time() + stand.database_seconds() - spent) / ROUNDS


def _bare(hosting: Hosting) -> dict[str, object]:
    with connection.cursor() as cursor, closing(redis.Redis.from_url(settings.REDIS_HINTS_URL)) as client:
        cursor.execute(ROWS, [hosting.pk])
        seen = client.hgetall(presence_key(hosting.centre_sitting_id)).values()
        return {"rows": cursor.fetchall(), "seen": [json.loads(row) for row in seen]}
