"""How much it takes to hold a number of candidates: pure functions of unit costs that were measured. No reading here.

Every line keeps its formula in words. Assumptions about candidates are fields of `Day`; what the machine costs is in
`UnitCosts`, read from the file that `manage.py bench --publish` writes.
"""

from dataclasses import dataclass, replace
from math import ceil

from centres.rules.board import PUSH_SECONDS
from ecni.preflight import limits
from ecni.preflight.limits import Needs
from exams.rules.heartbeat import SOONEST_SECONDS

MINUTE, MEGA, KILO = 60, 10**6, 10**3
BITS = 8
PACKET_BYTES = 66
"""Ethernet, IP and TCP around one frame; a frame and the kernel's acknowledgement travel each way."""

PACKETS_OF_AN_ANSWER = 4
SPARE = "deux, si l’un tombe"
"""The least of each role: tablets and browsers go to the other one."""


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What one unit costs, as measured. Milliseconds are of processor.

    Attributes:
        answer_server_ms, answer_database_ms: of a durable answer at 1,000 a second.
        beat_ms: of a heartbeat and its answer.
        answer_wal_bytes, act_bytes: of WAL, and of the journal with its index.
        answer_wire_bytes: of the frames of an answer and of its acknowledgement.
        candidate_kb, process_mb: memory of a composing candidate, and of a socket process without any.
        backend_mb: memory of a connection of PostgreSQL.
        return_ms: of a handshake with ticket, `hello`, and the state read again.
        login_ms: of a whole entry by slip.
        board_seat_ms: of a seat on a board that is read again.
        opening_ms: of telling one tablet that it composes.
        opening_bytes: of that frame.
        presence_bytes: of Redis for one tablet.
    """

    answer_server_ms: float
    answer_database_ms: float
    beat_ms: float
    answer_wal_bytes: float
    act_bytes: float
    answer_wire_bytes: float
    candidate_kb: float
    process_mb: float
    backend_mb: float
    return_ms: float
    login_ms: float
    board_seat_ms: float
    opening_ms: float
    opening_bytes: float
    presence_bytes: float


@dataclass(frozen=True, slots=True)
class Day:
    """What the day asks of the platform.

    Attributes:
        candidates: composing at the same time.
        paper_bytes: of the sealed paper.
        answers_per_minute: of one candidate in the closing rush, when most is asked.
        acts: of one candidate in one sitting: answers, changes, validations, flags.
        consoles: open on each centre.
        lobby_minutes: in which the papers are fetched and the slips are typed.
        opening_seconds: from the order to the last tablet.
        return_seconds: in which everybody is back after all sockets have dropped.
        cores: of one host.
        busy: share of a core that may be busy at the worst moment; the rest is the margin.
    """

    candidates: int
    paper_bytes: int
    answers_per_minute: float = 4.0
    acts: int = 800
    consoles: int = 3
    lobby_minutes: float = 30.0
    opening_seconds: float = 3.0
    return_seconds: float = 30.0
    cores: int = 4
    busy: float = 0.5

    @property
    def answers_per_second(self) -> float:
        """Answers of everybody in the rush."""
        return self.candidates * self.answers_per_minute / MINUTE


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the answer.

    Attributes:
        what: stable name.
        amount, unit: how much.
        formula: in French, the unit cost included.
    """

    what: str
    amount: float
    unit: str
    formula: str


def needs_of(day: Day, costs: UnitCosts) -> list[Need]:
    """Return what it takes to hold a day, in the order in which it is bought; no line ever falls as candidates grow."""
    sockets, web = socket_processes(day, costs), web_processes(day, costs)
    spread = limits.supposed_spread(ceil(sockets.amount))
    needs = Needs(day.candidates, ceil(sockets.amount), ceil(web.amount), spread)
    database = database_cores(day, costs)
    connections = limits.connections_needed(needs)
    return [
        sockets,
        web,
        Need("workers", 1, "processus", "un seul ; « beat » et « watch », un de chaque, coûtent peu"),
        database,
        hosts(day, sockets.amount + web.amount + 1 + database.amount),
        socket_memory(day, costs, sockets.amount),
        Need(
            "postgresql-memory",
            ceil(connections * costs.backend_mb),
            "Mo",
            f"{connections} connexions x {costs.backend_mb:.1f} Mo, hors shared_buffers",
        ),
        *bandwidth(day, costs),
        Need(
            "postgresql-connections",
            connections,
            "connexions",
            f"{needs.socket_processes} « sockets » x {limits.CONNECTIONS_PER_SOCKET_PROCESS}, "
            f"{needs.web_processes} « web » x {limits.CONNECTIONS_PER_WEB_PROCESS}, "
            f"{limits.CONNECTIONS_OF_WORKERS} pour les tâches, {limits.RESERVED_CONNECTIONS} réservées",
        ),
        *disk(day, costs),
        Need(
            "redis-clients",
            limits.redis_clients_needed(needs),
            "clients",
            f"{limits.REDIS_CLIENTS_PER_PROCESS} par processus",
        ),
        Need(
            "redis-memory",
            ceil(day.candidates * costs.presence_bytes / MEGA),
            "Mo",
            f"{costs.presence_bytes:.0f} octets de présence par tablette",
        ),
    ]


def socket_processes(day: Day, costs: UnitCosts) -> Need:
    """Processes that hold the candidates: by number, by answers and heartbeats, by opening, by return; two at least."""
    beats = day.candidates / SOONEST_SECONDS
    speech = (day.answers_per_second * costs.answer_server_ms + beats * costs.beat_ms) / KILO / day.busy
    opening = day.candidates * costs.opening_ms / KILO / day.opening_seconds / day.busy
    back = day.candidates * costs.return_ms / KILO / day.return_seconds / day.busy
    number = day.candidates / limits.SOCKETS_PER_PROCESS
    by = {
        f"{limits.SOCKETS_PER_PROCESS} tablettes sur le plus plein": number if number <= 1 else number * limits.UNEVEN,
        f"{day.answers_per_second:.0f} réponses/s x {costs.answer_server_ms:.3f} ms "
        f"et {beats:.0f} battements/s x {costs.beat_ms:.3f} ms": speech,
        f"ouverture en {day.opening_seconds:.0f} s x {costs.opening_ms:.3f} ms": opening,
        f"retour en {day.return_seconds:.0f} s x {costs.return_ms:.2f} ms": back,
        SPARE: 2.0,
    }
    return Need("socket-processes", ceil(max(by.values())), "processus", worded(by, day))


def web_processes(day: Day, costs: UnitCosts) -> Need:
    """Processes of the pages: entries in the lobby while consoles are open; two at least, so that one may fall."""
    entries = day.candidates * costs.login_ms / KILO / (day.lobby_minutes * MINUTE) / day.busy
    boards = day.candidates * day.consoles * costs.board_seat_ms / KILO / PUSH_SECONDS / day.busy
    words = (
        f"entrées en {day.lobby_minutes:.0f} min x {costs.login_ms:.1f} ms"
        f" et {day.consoles} consoles par centre, {costs.board_seat_ms:.3f} ms par place toutes les {PUSH_SECONDS} s"
    )
    by = {words: entries + boards, SPARE: 2.0}
    return Need("web-processes", ceil(max(by.values())), "processus", worded(by, day))


def database_cores(day: Day, costs: UnitCosts) -> Need:
    """Cores of PostgreSQL in the closing rush."""
    load = day.answers_per_second * costs.answer_database_ms / KILO / day.busy
    by = {f"{day.answers_per_second:.0f} réponses/s x {costs.answer_database_ms:.3f} ms": load}
    return Need("postgresql-cores", max(1, ceil(load)), "cœurs", worded(by, day))


def hosts(day: Day, busy_cores: float) -> Need:
    """Machines, a core for each process and for PostgreSQL."""
    return Need("hosts", ceil(busy_cores / day.cores), "machines", f"{ceil(busy_cores)} cœurs, {day.cores} par machine")


def socket_memory(day: Day, costs: UnitCosts, processes: float) -> Need:
    """Memory of the socket processes together."""
    megabytes = processes * costs.process_mb + day.candidates * costs.candidate_kb / KILO
    formula = f"{processes:.0f} x {costs.process_mb:.0f} Mo à vide + {costs.candidate_kb:.1f} Ko par candidat"
    return Need("socket-memory", ceil(megabytes), "Mo", formula)


def bandwidth(day: Day, costs: UnitCosts) -> list[Need]:
    """What leaves the platform, in the three moments that count."""
    seconds = day.lobby_minutes * MINUTE
    paper = day.candidates * day.paper_bytes * BITS / seconds / MEGA
    opening = day.candidates * (costs.opening_bytes + PACKET_BYTES) * BITS / MEGA
    answer_bytes = costs.answer_wire_bytes + PACKETS_OF_AN_ANSWER * PACKET_BYTES
    answers = day.answers_per_second * answer_bytes * BITS / MEGA
    size = f"{day.paper_bytes / MEGA:.2f} Mo"
    return [
        Need("bandwidth-papers", ceil(paper), "Mbit/s", f"sujet de {size} par tablette en {day.lobby_minutes:.0f} min"),
        Need("bandwidth-opening", ceil(opening), "Mbit/s", f"{costs.opening_bytes:.0f} octets à chacun en une seconde"),
        Need(
            "bandwidth-answers",
            ceil(answers),
            "Mbit/s",
            f"{day.answers_per_second:.0f} réponses/s x {answer_bytes:.0f} octets, aller et retour",
        ),
    ]


def disk(day: Day, costs: UnitCosts) -> list[Need]:
    """What one sitting writes."""
    acts = day.candidates * day.acts
    return [
        Need(
            "journal-disk",
            ceil(acts * costs.act_bytes / MEGA),
            "Mo",
            f"{day.acts} actes par candidat x {costs.act_bytes:.0f} octets, index compris",
        ),
        Need(
            "wal-disk",
            ceil(acts * costs.answer_wal_bytes / MEGA),
            "Mo",
            f"{day.acts} actes par candidat x {costs.answer_wal_bytes:.0f} octets",
        ),
    ]


def held_by(day: Day, costs: UnitCosts) -> int:
    """Return the most candidates that the same processes would hold: what is left is the margin of whole numbers."""
    bought = _processes(day, costs)
    low, high = day.candidates, 2 * day.candidates
    while _processes(replace(day, candidates=high), costs) == bought:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if _processes(replace(day, candidates=middle), costs) == bought:
            low = middle
        else:
            high = middle
    return low


def _processes(day: Day, costs: UnitCosts) -> tuple[float, ...]:
    return tuple(of(day, costs).amount for of in (socket_processes, web_processes, database_cores))


def worded(by: dict[str, float], day: Day) -> str:
    """Return the terms of a maximum in words, the one that decides first."""
    ordered = sorted(by.items(), key=lambda term: -term[1])
    said = " ; ".join(f"{words} = {value:.2f}" for words, value in ordered)
    return f"{said} (cœurs occupés à {day.busy:.0%} au plus)"
