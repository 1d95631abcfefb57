"""The room board and the national board, as plain JSON: words, tones and icons are never decided in the browser."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.timezone import localtime
from redis import RedisError

from centres.models import Hosting, Incident, Seat
from centres.rules.board import (
    PRESENCE_UNKNOWN,
    ROOM_LABELS,
    SHEET_LABELS,
    Label,
    Reached,
    Sight,
    accommodation_words,
    alerts,
    duration_words,
    left_words,
    limit_alerts,
    network_label,
    observed_alerts,
    saved_words,
)
from centres.rules.seating import extra_seconds, missing_seconds
from ecni.vitals.hints import reached_limit
from exams.broadcast import Presence, doors, presence, presences
from exams.enums import CentreSittingState, GrantCause, GuardMode, Lack, LimitName, SheetState
from exams.models import RefusedOp, Sheet, TimeGrant
from exams.queries.admission import guard_modes
from exams.queries.sheets import closing_obstacles
from exams.rules.heartbeat import SOONEST_SECONDS, is_silent
from exams.rules.states import LIVE_STATES, WAITING_STATES
from exams.rules.timing import closing_reasons

CALL_MUTED_SECONDS = 120
TOLD_BY_DOORS = {
    (LimitName.SOCKETS, Lack.NOTHING): "processes",
    (LimitName.SOCKETS, Lack.DESCRIPTORS): "descriptors",
    (LimitName.LOGINS, Lack.NOTHING): "entries",
    (LimitName.LOGINS, Lack.PAGES): "entry-pages",
}
"""Layers of the watch that a door names itself while it makes somebody wait, by limit and what is lacking."""

_NOTHING: AbstractSet[str] = frozenset()
_PRESENT = WAITING_STATES | LIVE_STATES
_NOT_OPEN_YET = frozenset({CentreSittingState.PLANNED, CentreSittingState.LOBBY})


def handled_call_key(sheet_id: int) -> str:
    """Return the cache key that says that somebody is on the way to a candidate."""
    return f"handled-call:{sheet_id}"


def room_board(hosting: Hosting, now: datetime) -> dict[str, Any]:
    """Return a whole board, alerts first; the same number of statements whatever the number of seats."""
    state, grace_seconds, total = _facts(hosting)
    seats = list(_board_seats(hosting))
    granted, refused = _granted(hosting), _refused(hosting)
    known = presence(hosting.centre_sitting_id)
    seen = known or {}
    muted = _muted([seat.sheet_id for seat in seats if seat.sheet_id in seen and seen[seat.sheet_id].called])
    incidents = _incident_counts(hosting)
    hours = {end: _hour(end) for end in {seat.sheet__ends_at for seat in seats}}
    rows, lacking = [], 0
    for seat in seats:
        sight = _sight(
            seat,
            seen.get(seat.sheet_id),
            missing=_missing(seat, hosting, granted.get(seat.sheet_id, 0)),
            refused=refused.get(seat.sheet_id, _NOTHING),
            is_muted=seat.sheet_id in muted,
            is_presence_known=known is not None,
        )
        lacking += bool(sight.missing_seconds) and sight.state in _PRESENT
        others = {"ends": hours[sight.ends_at], "total": total, "incidents": incidents.get(seat.pk, 0)}
        rows.append(_row(seat, sight, now) | others)
    ends = [seat.sheet__ends_at for seat in seats if seat.sheet__state in LIVE_STATES]
    is_paused = state is CentreSittingState.PAUSED
    reasons = closing_reasons(ends, now, grace_seconds=grace_seconds, is_paused=is_paused)
    return {
        "state": {"code": state.value, **ROOM_LABELS[state].as_json()},
        "clock": _clock(hosting, state, [seat.sheet__ends_at for seat in seats], now),
        "counts": _counts(rows),
        "obstacles": _closing_words(reasons, state, rows, lacking),
        "limits": [
            alert.as_json()
            for alert in (*_unknown(known), *limit_alerts(_reached_in(hosting, now), now, of_one_centre=True))
        ],
        "rows": rows,
    }


def unreconciled(hosting: Hosting) -> int:
    """Return how many people present lack some of the extra time that was decided for them."""
    duration = hosting.sitting.duration_seconds
    seats = Seat.objects.filter(hosting=hosting, candidate__accommodation__isnull=False, sheet__state__in=_PRESENT)
    times = seats.values_list("candidate__accommodation__extra_percent", "sheet__extra_seconds", "sheet_id")
    granted = _granted(hosting)
    return sum(
        1
        for percent, seconds, sheet_id in times
        if missing_seconds(extra_seconds(duration, percent), seconds, granted.get(sheet_id, 0))
    )


def room_obstacles(hosting: Hosting, now: datetime) -> list[str]:
    """Return each reason why the centre cannot be closed: those of the sheets, then those of the people."""
    return _obstacles(closing_obstacles(hosting.centre_sitting_id, now), unreconciled(hosting))


def national_board(hostings: Iterable[Hosting], now: datetime) -> dict[str, Any]:
    """Return one tile per hosting of a sitting, and sums; presences come from Redis, counts from PostgreSQL."""
    found = list(hostings)
    ids = [hosting.centre_sitting_id for hosting in found]
    counts, live, known = _sheet_counts(ids), _live_sheets(ids), presences(ids)
    tiles = [
        _tile(hosting, counts.get(pk, {}), live.get(pk, []), None if known is None else known[pk], now)
        for hosting, pk in zip(found, ids, strict=True)
    ]
    reached = reached_limits(now)
    return {
        "tiles": tiles,
        "sums": {name: sum(tile[name] for tile in tiles) for name in ("expected", "composing", "offline", "submitted")},
        "limits": [alert.as_json() for alert in (*_unknown(known), *_national_alerts(reached, now))],
        "open": sum(1 for tile in tiles if tile["code"] == CentreSittingState.OPEN),
        "lobby": sum(1 for tile in tiles if tile["code"] == CentreSittingState.LOBBY),
        "limit": ""
        if known is None
        else reached_limit({TOLD_BY_DOORS.get((one.limit, one.lack), "") for one in reached}),
    }


def reached_limits(now: datetime) -> list[Reached]:
    """Return each limit that makes somebody wait, by process; empty when Redis is away."""
    return [
        Reached(LimitName(door.limit), door.value, door.waiting, door.since, Lack(door.lack))
        for door in doors(_milliseconds(now))
        if door.waiting and door.since
    ]


def _reached_in(hosting: Hosting, now: datetime) -> list[Reached]:
    room = str(hosting.centre_sitting_id)
    return [
        Reached(LimitName(door.limit), door.value, door.rooms[room], door.since, Lack(door.lack))
        for door in doors(_milliseconds(now))
        if door.since and room in door.rooms
    ]


def _national_alerts(reached: list[Reached], now: datetime) -> list[Label]:
    observed = [name for name, mode in guard_modes().items() if mode is GuardMode.OBSERVE]
    return [*limit_alerts(reached, now, of_one_centre=False), *observed_alerts(observed)]


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def _board_seats(hosting: Hosting) -> Iterable[Any]:
    """Return columns, not three model objects for each seat, which cost twice all the rest of a board."""
    return (
        Seat.objects.filter(hosting=hosting)
        .order_by("room__name", "room_id", "seat_number")
        .values_list(
            *("pk", "room__name", "seat_number", "candidate__accommodation__extra_percent", "sheet_id"),
            *("sheet__number", "sheet__state", "sheet__ends_at", "sheet__extra_seconds"),
            named=True,
        )
    )


def _sheets(hosting: Hosting) -> "QuerySet[Seat, Any]":
    return Seat.objects.filter(hosting=hosting).values("sheet_id")


def _granted(hosting: Hosting) -> dict[int, int]:
    """Return the seconds granted by somebody to each sheet during the sitting."""
    granted = TimeGrant.objects.filter(cause=GrantCause.DECISION, sheet__in=_sheets(hosting))
    return dict(granted.order_by().values_list("sheet_id").annotate(seconds=Sum("seconds")))


def _refused(hosting: Hosting) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    refused = RefusedOp.objects.filter(sheet__in=_sheets(hosting))
    for sheet_id, code in refused.order_by().values_list("sheet_id", "code").distinct():
        found.setdefault(sheet_id, set()).add(code)
    return found


def _facts(hosting: Hosting) -> tuple[CentreSittingState, int, int]:
    """Return where the centre sitting stands now, its grace in seconds, and the questions of the paper: 0 unsealed."""
    questions = Count("sitting__papers__questions", filter=Q(sitting__papers__is_reserve=False))
    hostings = Hosting.objects.annotate(questions=questions)
    facts = hostings.values_list("centre_sitting__state", "sitting__grace_seconds", "questions")
    state, grace_seconds, total = facts.get(pk=hosting.pk)
    return CentreSittingState(state), grace_seconds, total


def _incident_counts(hosting: Hosting) -> dict[int, int]:
    counted = Incident.objects.filter(hosting=hosting, seat__isnull=False).values("seat_id").annotate(n=Count("pk"))
    return {row["seat_id"]: row["n"] for row in counted}


def _muted(sheet_ids: list[int]) -> set[int]:
    if not sheet_ids:
        return set()
    try:
        found = cache.get_many([handled_call_key(sheet_id) for sheet_id in sheet_ids])
    except RedisError:
        return set()
    return {sheet_id for sheet_id in sheet_ids if handled_call_key(sheet_id) in found}


def _missing(seat: Any, hosting: Hosting, granted: int) -> int:
    decided = extra_seconds(hosting.sitting.duration_seconds, seat.candidate__accommodation__extra_percent or 0)
    return missing_seconds(decided, seat.sheet__extra_seconds, granted)


def _sight(
    seat: Any,
    seen: Presence | None,
    *,
    missing: int,
    refused: AbstractSet[str],
    is_muted: bool,
    is_presence_known: bool,
) -> Sight:
    return Sight(
        state=SheetState(seat.sheet__state),
        ends_at=seat.sheet__ends_at,
        extra_seconds=seat.sheet__extra_seconds,
        missing_seconds=missing,
        seen_at=seen.seen_at if seen else None,
        saved_at=seen.saved_at if seen else None,
        beat=seen.beat if seen else SOONEST_SECONDS,
        is_online=seen.online if seen else False,
        is_by_http=seen.by_http if seen else False,
        answered=seen.answered if seen else 0,
        question=seen.question if seen else 0,
        has_called=bool(seen and seen.called and not is_muted),
        is_contradicted="contradiction" in refused,
        has_quarantine="quarantined" in refused,
        is_presence_known=is_presence_known,
    )


def _row(seat: Any, sight: Sight, now: datetime) -> dict[str, Any]:
    found = alerts(sight, now)
    network = network_label(sight, now)
    return {
        "seat": seat.pk,
        "room": seat.room__name,
        "place": seat.seat_number,
        "number": seat.sheet__number,
        "code": sight.state.value,
        "state": SHEET_LABELS[sight.state].as_json(),
        "tone": _row_tone(found, sight),
        "answered": sight.answered,
        "question": sight.question,
        "saved": saved_words(sight, now),
        "network": network.as_json() if network else None,
        "left": left_words(sight, now),
        "accommodation": accommodation_words(sight.extra_seconds),
        "alerts": [alert.as_json() for alert in found],
        "called": sight.has_called,
        "admissible": sight.state in {SheetState.EXPECTED, SheetState.ABSENT},
    }


def _row_tone(found: list[Label], sight: Sight) -> str:
    tones = {alert.tone for alert in found}
    for tone in ("danger", "warn"):
        if tone in tones:
            return tone
    return SHEET_LABELS[sight.state].tone


def _counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "all": len(rows),
        "danger": sum(row["tone"] == "danger" for row in rows),
        "warn": sum(row["tone"] == "warn" for row in rows),
        **{state.value: sum(row["code"] == state for row in rows) for state in SheetState},
    }


def _clock(hosting: Hosting, state: CentreSittingState, ends: list[datetime | None], now: datetime) -> dict[str, str]:
    known = sorted(end for end in ends if end)
    if state in _NOT_OPEN_YET:
        return {"value": _hour(hosting.sitting.starts_at), "note": "heure prévue"}
    if not known or state not in {CentreSittingState.OPEN, CentreSittingState.PAUSED}:
        return {"value": "—", "note": "épreuve terminée" if known else "personne ne compose"}
    left = max(0, int((known[0] - now).total_seconds()))
    is_open = state == CentreSittingState.OPEN
    left_note = "restantes ; " if is_open else ""
    return {
        "value": duration_words(left) if is_open else "En pause",
        "note": f"{left_note}première fin : {_hour(known[0])}, dernière fin : {_hour(known[-1])}",
    }


def _closing_words(
    reasons: list[str], state: CentreSittingState, rows: list[dict[str, Any]], lacking: int
) -> list[str]:
    if state not in {CentreSittingState.OPEN, CentreSittingState.PAUSED}:
        return []
    calls = sum(row["called"] for row in rows)
    return [*_obstacles(reasons, lacking), *([f"{calls} appel(s) non traité(s)."] if calls else [])]


def _obstacles(reasons: list[str], lacking: int) -> list[str]:
    return [*reasons, f"{lacking} copie(s) sans tout leur temps majoré."] if lacking else reasons


def _sheet_counts(centre_sitting_ids: list[int]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    rows = (
        Seat.objects.filter(hosting__centre_sitting_id__in=centre_sitting_ids)
        .values_list("hosting__centre_sitting_id", "sheet__state")
        .annotate(n=Count("pk"))
    )
    for centre_sitting_id, state, n in rows:
        counts.setdefault(centre_sitting_id, {})[state] = n
    return counts


def _live_sheets(centre_sitting_ids: list[int]) -> dict[int, list[int]]:
    live = Sheet.objects.filter(centre_sitting_id__in=centre_sitting_ids, state__in=LIVE_STATES)
    return dict(live.order_by().values_list("centre_sitting_id").annotate(pks=ArrayAgg("pk")))


def _unknown(known: object | None) -> list[Label]:
    return [PRESENCE_UNKNOWN] if known is None else []


def _tile(
    hosting: Hosting,
    counts: Mapping[str, int],
    live: Sequence[int],
    seen: Mapping[int, Presence] | None,
    now: datetime,
) -> dict[str, Any]:
    state = CentreSittingState(hosting.centre_sitting.state)
    fresh = {
        sheet: item
        for sheet, item in (seen or {}).items()
        if item.online and not is_silent(now.timestamp() - item.seen_at / 1000, item.beat)
    }
    is_told = seen is not None and state == CentreSittingState.OPEN
    offline = sum(sheet not in fresh for sheet in live) if is_told else 0
    calls = sum(item.called for item in fresh.values())
    label = _tile_label(ROOM_LABELS[state], len(live), offline, calls)
    return {
        "hosting": hosting.pk,
        "centre": hosting.centre.name,
        "code": state.value,
        "state": label.as_json(),
        "expected": sum(counts.values()),
        "connected": len(fresh),
        "composing": len(live),
        "submitted": counts.get(SheetState.SUBMITTED, 0) + counts.get(SheetState.CLOSED, 0),
        "offline": offline,
        "note": _tile_note(counts, offline, calls),
    }


def _tile_label(label: Label, live: int, offline: int, calls: int) -> Label:
    if offline and offline * 10 >= live:
        return Label("danger", "wifi-off", "À traiter")
    if offline or calls:
        return Label("warn", "wifi-off" if offline else "hand", "À surveiller")
    return label


def _tile_note(counts: Mapping[str, int], offline: int, calls: int) -> str:
    words = {
        "hors ligne": offline,
        "appels": calls,
        "prêts": counts.get(SheetState.READY, 0),
        "remis": counts.get(SheetState.SUBMITTED, 0),
        "absents": counts.get(SheetState.ABSENT, 0),
    }
    return ", ".join(f"{count} {word}" for word, count in words.items() if count)


def _hour(at: datetime | None) -> str:
    return f"{localtime(at):%H h %M}" if at else ""
