"""The operations board: pressures and vitals as rows of words, tones and small drawings."""

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from ecni.vitals import Gauges, Pressure, Severity, Vitals
from ecni.vitals.hints import PAST_LENGTH, Past, read_past, read_pressures, read_vitals
from ecni.watch.rules import LAYERS, counted, headroom, nearest

SPARK_WIDTH, SPARK_HEIGHT = 90, 20
TONES = {Severity.REACHED: "danger", Severity.NEAR: "warn", Severity.CALM: "ok"}
ICONS = {Severity.REACHED: "alert", Severity.NEAR: "hourglass", Severity.CALM: "check-circle"}
WORDS = {Severity.REACHED: "Atteinte", Severity.NEAR: "Proche", Severity.CALM: "Loin"}


@dataclass(frozen=True, slots=True)
class Headline:
    """What comes first on the page: tone, icon, a sentence, and what to do."""

    tone: str
    icon: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit.

    Attributes:
        tone, icon, word: its severity.
        name, where, sentence, headroom, remedy: in words; the sentence does not repeat the name.
        percent: used, 0 to 100; None when nothing can be counted.
    """

    tone: str
    icon: str
    word: str
    name: str
    where: str
    sentence: str
    headroom: str
    remedy: str
    percent: int | None


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process; drawings are the points of an SVG polyline, `SPARK_WIDTH` by `SPARK_HEIGHT`."""

    role: str
    name: str
    since: str
    sockets: str
    composing: str
    acks: str
    lag: int
    pause: int
    commit: str
    writer: str
    descriptors: str
    memory: str
    cpu: int
    logins: str
    refusals: str
    sockets_drawing: str
    acks_drawing: str
    lag_drawing: str


@dataclass(frozen=True, slots=True)
class Board:
    """The whole page.

    Attributes:
        headline: first sentence.
        limits: every limit but the newcomers' doors, the most used first.
        newcomers: what somebody who knocks now meets.
        processes: those that told how they are lately.
    """

    headline: Headline
    limits: Sequence[LimitRow] = ()
    newcomers: Sequence[LimitRow] = ()
    processes: Sequence[ProcessRow] = ()


def board(now: float) -> Board:
    """Return the board at `now`, seconds since 1970; without Redis it says only that."""
    try:
        pressures, processes = read_pressures(), read_vitals()
        past = read_past([one.name for one in processes])
    except redis.RedisError as error:
        return Board(_blind(error))
    rows = [_process(one, past[one.name], now) for one in processes]
    if pressures is None:
        text = "Personne ne surveille les limites : lancez « manage.py watch » sur chaque machine."
        return Board(Headline("warn", "eye", text), processes=rows)
    limits = [one for one in pressures if one.layer != "newcomers"]
    doors = [one for one in pressures if one.layer == "newcomers"]
    return Board(headline(pressures, now), list(map(_limit, limits)), list(map(_limit, doors)), rows)


def headline(pressures: Sequence[Pressure], now: float) -> Headline:
    """Return the gravest limit in words; when none is near, the one that would come first and what is left of it."""
    gravest = pressures[0] if pressures else None
    if gravest is not None and gravest.severity is not Severity.CALM:
        start = "Limite atteinte" if gravest.severity is Severity.REACHED else "Limite proche"
        text = f"{start} : {gravest.sentence}, depuis {_duration(now - gravest.since)}."
        return Headline(TONES[gravest.severity], ICONS[gravest.severity], text, f"À faire : {gravest.remedy}.")
    first = nearest(list(pressures))
    text = "Aucune limite n’est proche."
    if first is not None:
        place = f" ({first.where})" if first.where else ""
        name = LAYERS[first.layer].name
        text += f" La première serait « {name} »{place} : {first.share * 100:.0f} % utilisés, {headroom(first)}."
    return Headline("ok", "check-circle", text)


def _blind(error: redis.RedisError) -> Headline:
    is_full = "max number of clients" in str(error)
    why = "il refuse de nouveaux clients (maxclients)" if is_full else "il ne répond pas"
    text = f"Limite atteinte : Redis, {why}. Les candidats composent ; ce tableau ne voit plus rien d’autre."
    layer = LAYERS["redis-clients" if is_full else "redis"]
    return Headline("danger", "alert", text, f"À faire : {layer.remedy}.")


def _limit(one: Pressure) -> LimitRow:
    name = LAYERS[one.layer].name
    return LimitRow(
        tone=TONES[one.severity],
        icon=ICONS[one.severity],
        word=WORDS[one.severity],
        name=_capital(name),
        where=one.where,
        sentence=_capital(one.sentence.removeprefix(f"{name}, {one.where} : ").removeprefix(f"{name} : ")),
        headroom=headroom(one) if one.limit > 0 else "",
        remedy=one.remedy,
        percent=min(100, round(one.share * 100)) if one.limit > 0 else None,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _process(one: Vitals, past: Sequence[Past], now: float) -> ProcessRow:
    gauges = one.gauges
    return ProcessRow(
        role=one.role,
        name=f"{one.pid}@{one.host}",
        since=_duration(now - one.started_at),
        sockets=_tablets(gauges),
        composing=counted(gauges.composing),
        acks=counted(round(one.acks_per_second, 1)),
        lag=round(one.loop_lag_ms),
        pause=round(one.gc_pause_ms),
        commit=f"{gauges.commit_ms:.0f} / {gauges.commit_max_ms:.0f}" if gauges.writer_capacity else "",
        writer=counted(gauges.writer_waiting) if gauges.writer_capacity else "",
        descriptors=f"{counted(one.descriptors)} / {counted(one.descriptors_limit)}",
        memory=f"{one.resident_bytes // 2**20} Mio",
        cpu=round(one.cpu_share * 100),
        logins=counted(round(one.logins_per_second, 1)),
        refusals=counted(sum(one.refusals.values())),
        sockets_drawing=drawing([point.sockets for point in past]),
        acks_drawing=drawing([point.acks for point in past]),
        lag_drawing=drawing([point.lag_ms for point in past]),
    )


def _tablets(gauges: Gauges) -> str:
    of = f" / {counted(gauges.budget)}" if gauges.budget else ""
    beside = f", et {counted(gauges.by_http)} par HTTP" if gauges.by_http else ""
    return f"{counted(gauges.sockets)}{of}{beside}"


def drawing(values: Sequence[float]) -> str:
    """Return points of a line from left to right, the last value at the right edge, zero at the bottom."""
    most = max(values, default=0) or 1
    step = SPARK_WIDTH / (PAST_LENGTH - 1)
    first = SPARK_WIDTH - step * (len(values) - 1)
    return " ".join(
        f"{first + step * index:.1f},{SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 2) * value / most:.1f}"
        for index, value in enumerate(values)
    )


def _duration(seconds: float) -> str:
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} j {hours} h"
    if hours:
        return f"{hours} h {minutes:02}"
    return f"{minutes} min" if minutes else f"{whole} s"
