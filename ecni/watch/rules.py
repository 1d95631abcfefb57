"""What a reading says of a limit: pure functions. No reading here, `now` is an argument.

A limit is near at four fifths, reached when a hundredth is left or when newcomers are refused; each word outlasts a
small step back, so that a value that trembles does not fill the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ecni.vitals import Pressure, Severity

NEAR_SHARE, CALM_SHARE = 0.8, 0.7
REACHED_SHARE, LIFTED_SHARE = 0.99, 0.95
HOLD_SECONDS = 10.0
"""For how long one refusal is remembered: what refuses comes in bursts."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A kind of limit, in French.

    Attributes:
        name: as the board says it.
        unit: what is counted, in the plural.
        remedy: what to do when it is near or reached.
    """

    name: str
    unit: str
    remedy: str


LAYERS: Mapping[str, Layer] = {
    "descriptors": Layer(
        "descripteurs de fichiers",
        "descripteurs",
        "relever « nofile » (prlimit, sans arrêt), ajouter un processus",
    ),
    "backlog": Layer(
        "file d’attente des connexions", "connexions en attente", "relever net.core.somaxconn, ajouter un processus"
    ),
    "ephemeral-ports": Layer(
        "ports éphémères", "ports", "élargir net.ipv4.ip_local_port_range, ou donner plusieurs adresses aux serveurs"
    ),
    "conntrack": Layer("suivi des connexions", "connexions suivies", "relever net.netfilter.nf_conntrack_max"),
    "firewall": Layer("pare-feu", "refus", "relever ou retirer la règle « connlimit » du pare-feu"),
    "nginx": Layer(
        "connexions de nginx", "connexions", "relever worker_connections et chaque limit_conn, puis « nginx -s reload »"
    ),
    "nginx-descriptors": Layer(
        "descripteurs de nginx", "refus", "relever worker_rlimit_nofile, puis « nginx -s reload »"
    ),
    "nginx-process": Layer("nginx", "s de silence", "relancer nginx, lire son journal d’erreurs"),
    "processes": Layer("places d’un processus", "tablettes", "ajouter un processus « sockets »"),
    "entries": Layer(
        "entrées par seconde",
        "entrées par seconde",
        "relever la limite sur « Limites et gardes », ou ajouter un « web »",
    ),
    "entry-pages": Layer("pages d’entrée", "entrées par seconde", "ajouter un « web », ou un cœur"),
    "silence": Layer(
        "silence",
        "s de silence",
        "regarder cette machine ; un processus figé s’arrête par « kill -9 », puis est relancé",
    ),
    "cpu": Layer("processeur d’un processus", "% d’un cœur", "ajouter un processus, ou un cœur"),
    "event-loop": Layer("boucle d’un processus", "ms de retard", "ajouter un processus « sockets »"),
    "writer": Layer("file d’écriture", "actes en attente", "regarder PostgreSQL : ses disques, ses verrous"),
    "postgresql": Layer("PostgreSQL", "s de silence", "regarder le serveur PostgreSQL et son journal"),
    "postgresql-connections": Layer(
        "connexions de PostgreSQL", "connexions", "relever max_connections, ou fermer ce qui n’est pas de l’épreuve"
    ),
    "postgresql-role": Layer(
        "connexions d’un compte de PostgreSQL", "connexions", "ALTER ROLE … CONNECTION LIMIT, sans arrêt"
    ),
    "postgresql-database": Layer(
        "connexions d’une base de PostgreSQL", "connexions", "ALTER DATABASE … CONNECTION LIMIT, sans arrêt"
    ),
    "postgresql-standby": Layer(
        "secours de PostgreSQL", "s de retard", "relancer le serveur de secours, ou l’ôter de synchronous_standby_names"
    ),
    "postgresql-disk": Layer("disque de PostgreSQL", "octets", "libérer ou ajouter de la place"),
    "redis": Layer("Redis", "s de silence", "relancer Redis, même vide"),
    "redis-clients": Layer("clients de Redis", "clients", "relever maxclients (CONFIG SET, sans arrêt)"),
    "redis-memory": Layer("mémoire de Redis", "octets", "relever maxmemory (CONFIG SET, sans arrêt)"),
    "redis-eviction": Layer("oublis de Redis", "clés oubliées", "maxmemory-policy noeviction, et plus de mémoire"),
    "newcomers": Layer("entrée des nouveaux", "échecs", "suivre l’étape nommée, d’une machine du réseau des candidats"),
}
"""Every layer that is watched, by its stable name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One limit as it was read once.

    Attributes:
        layer, where: as in `Pressure`.
        used, limit: counts; a limit of 0 says that there is none to count.
        refused: how many were turned away since the last reading.
        words: the fact, in French, when it is more than the count.
    """

    layer: str
    where: str
    used: float
    limit: float
    refused: int = 0
    words: str = ""

    @property
    def share(self) -> float:
        """How much of the limit is used; 1 at least when somebody was turned away."""
        counted = self.used / self.limit if self.limit > 0 else 0.0
        return max(counted, 1.0) if self.refused else counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """A pressure, and what the next judgement must remember.

    Attributes:
        pressure: what is shown.
        refused_at: last refusal, seconds since 1970; None when there never was one.
        refused_words: what was said of it.
    """

    pressure: Pressure
    refused_at: float | None = None
    refused_words: str = ""


def judge(reading: Reading, before: Verdict | None, now: float) -> Verdict:
    """Return what a reading means, given what was said of this limit before."""
    refused_at, words = (now, said(reading)) if reading.refused else _remembered(before, now)
    was = before.pressure if before else None
    severity = _severity(reading.share, was.severity if was else Severity.CALM, is_refusing=refused_at is not None)
    share = max(reading.share, 1.0) if refused_at is not None else reading.share
    pressure = Pressure(
        layer=reading.layer,
        where=reading.where,
        used=reading.used,
        limit=reading.limit,
        share=round(share, 4),
        severity=severity,
        sentence=words or said(reading),
        remedy="" if severity is Severity.CALM else LAYERS[reading.layer].remedy,
        since=was.since if was and was.severity is severity else now,
        refuses=refused_at is not None,
    )
    return Verdict(pressure, refused_at, words)


def judge_all(
    readings: Iterable[Reading], before: Mapping[tuple[str, str], Verdict], now: float
) -> dict[tuple[str, str], Verdict]:
    """Return what readings mean, by layer and place; what refused lately and is not read any more stays for a while.

    Of several readings of one limit the gravest counts: one that refused, then the fullest.
    """
    gravest: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        key = (reading.layer, reading.where)
        known = gravest.get(key)
        if known is None or (reading.refused > 0, reading.share) > (known.refused > 0, known.share):
            gravest[key] = reading
    held = {key: verdict for key, verdict in before.items() if _remembered(verdict, now)[0] is not None}
    return held | {key: judge(reading, before.get(key), now) for key, reading in gravest.items()}


def silent(layer: str, where: str, seconds: float, words: str = "") -> Reading:
    """A part that does not answer the watcher, or tells nothing any more; `words` say more than that."""
    words = words or f"{LAYERS[layer].name} ne répond pas"
    return Reading(layer, where, round(seconds, 1), 0, refused=1, words=words)


def said(reading: Reading) -> str:
    """Return a reading as a French sentence without its full stop."""
    if reading.words:
        return reading.words
    layer = LAYERS[reading.layer]
    of = f" sur {counted(reading.limit)}" if reading.limit > 0 else ""
    place = f", {reading.where}" if reading.where else ""
    return f"{layer.name}{place} : {counted(reading.used)}{of} {layer.unit}"


def headroom(pressure: Pressure) -> str:
    """Return what is left of a limit, in French."""
    if pressure.limit <= 0:
        return "rien à compter"
    left = max(0.0, pressure.limit - pressure.used)
    return f"reste {counted(left)} {LAYERS[pressure.layer].unit}"


def counted(value: float) -> str:
    """Return a count as French writes it; tens of millions and more in a larger unit."""
    for unit, size in (("G", 10**9), ("M", 10**6)):
        if value >= 10 * size:
            return f"{value / size:.0f} {unit}"
    text = f"{value:,.0f}" if value == int(value) else f"{value:.1f}"
    return text.replace(",", " ").replace(".", ",")


def several(count: float, one: str, more: str) -> str:
    """Return a count with the words of one, or of more, as French agrees them."""
    return f"{counted(count)} {one if count < 2 else more}"  # noqa: PLR2004 -- zero and one are singular


def nearest(pressures: list[Pressure]) -> Pressure | None:
    """Return the limit that breaks first: the greatest share of what can be counted."""
    return max((one for one in pressures if one.limit > 0), key=lambda one: one.share, default=None)


def _remembered(before: Verdict | None, now: float) -> tuple[float | None, str]:
    if before is None or before.refused_at is None or now - before.refused_at >= HOLD_SECONDS:
        return None, ""
    return before.refused_at, before.refused_words


def _severity(share: float, was: Severity, *, is_refusing: bool) -> Severity:
    reached = LIFTED_SHARE if was is Severity.REACHED else REACHED_SHARE
    near = NEAR_SHARE if was is Severity.CALM else CALM_SHARE
    if is_refusing or share >= reached:
        return Severity.REACHED
    return Severity.NEAR if share >= near else Severity.CALM


# What each part says of itself


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a newcomer.

    Attributes:
        address: the door.
        stage: where it failed, in French; empty when it came in.
        milliseconds: until the end or the failure.
        is_silent: whether nothing answered a call, as against a refusal.
        port: the one called.
        is_local: whether the door is on this machine, whose queues can be read.
    """

    address: str
    stage: str
    milliseconds: float
    is_silent: bool
    port: int
    is_local: bool


def newcomer(attempt: Attempt, queue: Reading | None) -> Reading:
    """What a newcomer meets; a call that nobody answers while the queue has room is a firewall's doing.

    Args:
        attempt: what happened.
        queue: of the port that was called, when it is one of this machine; None when nobody listens there.
    """
    if not attempt.stage:
        words = f"un nouveau venu entre par {attempt.address} en {attempt.milliseconds:.0f} ms"
        return Reading("newcomers", attempt.address, 0, 0, words=words)
    words = f"un nouveau venu n’entre pas par {attempt.address} : {attempt.stage}"
    if attempt.stage == CALLING and attempt.is_local and queue is not None and queue.share < NEAR_SHARE:
        how = "sans réponse" if attempt.is_silent else "refusé"
        words = f"appel {how} à {attempt.address} alors que la file a de la place : un pare-feu ou un connlimit"
        return Reading("firewall", attempt.address, 1, 0, refused=1, words=words)
    return Reading("newcomers", attempt.address, 1, 0, refused=1, words=words)


CALLING = "la connexion"
"""First stage of a newcomer: the TCP call itself."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One listening socket: connections that wait to be accepted, and how many may."""

    port: int
    waiting: int
    most: int


def backlog(queues: list[Queue], overflows: int) -> list[Reading]:
    """Queues of this machine; what overflowed since the last reading is told of the fullest one."""
    readings = [Reading("backlog", f"port {queue.port}", queue.waiting, queue.most) for queue in queues]
    if not overflows or not readings:
        return readings
    fullest = max(readings, key=lambda reading: reading.share)
    lost = several(overflows, "appel perdu", "appels perdus")
    if not fullest.share:  # it has drained, and the kernel does not tell which one it was
        words = f"{LAYERS['backlog'].name} : {lost}"
        return [*readings, Reading("backlog", "", overflows, 0, refused=overflows, words=words)]
    words = f"{said(fullest)} ; {lost}"
    return [replace(reading, refused=overflows, words=words) if reading is fullest else reading for reading in readings]
