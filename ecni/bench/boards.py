"""What open consoles cost: every two seconds the board of a room, or of the nation, is read again."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from time import process_time

import redis
from django.conf import settings
from django.db import connection

from centres.models import Hosting, Seat
from centres.queries.boards import national_board, room_board
from centres.queries.nation import national_hostings
from ecni.accounts.models import User
from ecni.bench.measures import PROCESSOR_MS, Measure
from ecni.bench.stand import Stand
from exams.broadcast import Presence, presence_key, publish_presence
from exams.models import Sheet
from exams.queries.clock import database_now

ROUNDS = 40
STATES = """
SELECT seat.hosting_id, sheet.state, count(*)
FROM centres_seat AS seat JOIN exams_sheet AS sheet ON sheet.id = seat.sheet_id
WHERE sheet.sitting_id = %s GROUP BY 1, 2"""
ROWS = """
SELECT seat.id, seat.seat_number, sheet.number, sheet.state, sheet.ends_at::text, sheet.extra_seconds
FROM centres_seat AS seat JOIN exams_sheet AS sheet ON sheet.id = seat.sheet_id WHERE seat.hosting_id = %s"""


def boards(stand: Stand) -> list[Measure]:
    """Return what the boards of a room and of the nation cost while all compose, beside what they read, read bare."""
    stand.scene.set_open()
    hosting = Hosting.objects.select_related("sitting").filter(sitting_id=stand.scene.sitting_id).earliest("pk")
    seats = Seat.objects.filter(hosting=hosting)
    agency, sitting_id = User.objects.get(username="agence"), stand.scene.sitting_id
    now = database_now()
    at = int(now.timestamp() * 1000)
    seen = Presence(at, at, 12, 13, called=False, online=True, by_http=False)
    sheets = Sheet.objects.filter(sitting_id=sitting_id).values_list("centre_sitting_id", "pk")
    rooms: dict[int, dict[int, Presence]] = {room: {} for room, _ in sheets}
    for room, sheet in sheets:
        rooms[room][sheet] = seen
    publish_presence(rooms)
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
        ),
        Measure(
            name=f"board of a nation of {len(sheets)}",
            value=_milliseconds(stand, lambda: json.dumps(national_board(national_hostings(agency, sitting_id), now))),
            unit=PROCESSOR_MS,
            floor="its counts by one statement, its presences, as JSON",
            floor_value=_milliseconds(stand, lambda: json.dumps(_bare_nation(sitting_id, list(rooms)))),
        ),
    ]


def _milliseconds(stand: Stand, work: Callable[[], object]) -> float:
    work()
    spent = process_time() + stand.database_seconds()
    for _ in range(ROUNDS):
        work()
    return 1000 * (process_time() + stand.database_seconds() - spent) / ROUNDS


def _bare(hosting: Hosting) -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [hosting.pk])
        return {"rows": cursor.fetchall(), "seen": _bare_presences([hosting.centre_sitting_id])}


def _bare_nation(sitting_id: int, rooms: Sequence[int]) -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute(STATES, [sitting_id])
        return {"states": cursor.fetchall(), "seen": _bare_presences(rooms)}


def _bare_presences(rooms: Sequence[int]) -> list[object]:
    with closing(redis.Redis.from_url(settings.REDIS_HINTS_URL)) as client:
        return [json.loads(row) for room in rooms for row in client.hgetall(presence_key(room)).values()]
