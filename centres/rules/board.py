"""What a console shows of one sheet: tone, icon and word together, so that colour never speaks alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from exams.enums import CentreSittingState as C
from exams.enums import GuardName, Lack, LimitName
from exams.enums import SheetState as S
from exams.rules.heartbeat import is_silent

LOST_SECONDS = 90
PUSH_SECONDS = 2
"""A board that is open is read again as often."""
LATE_SECONDS = 5
"""Age from which a board that is open is said to be dated."""


@dataclass(frozen=True, slots=True)
class Label:
    """A tone, an icon of the sprite, and words."""

    tone: str
    icon: str
    word: str

    def as_json(self) -> dict[str, str]:
        """Return it as a board sends it: a room of three hundred has six hundred of them, each two seconds."""
        return {"tone": self.tone, "icon": self.icon, "word": self.word}


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one sheet and its tablet now.

    Attributes:
        state: where the sheet stands.
        ends_at: until when it composes, once it does.
        extra_seconds: personal extra time on the sheet.
        missing_seconds: what its accommodation gives and the sheet does not have.
        seen_at, saved_at: milliseconds since 1970, None when never.
        beat: seconds in which its next sign of life was awaited.
        is_online: whether a socket is open.
        is_by_http: whether its tablet speaks by HTTP, for want of a websocket.
        answered, question: questions answered, question on screen (0: none).
        has_called: hand raised, and nobody on the way.
        is_contradicted: whether an op came that contradicts one that is stored.
        has_quarantine: whether an op is kept apart for the jury.
        is_presence_known: False while Redis is away: a tablet that is not seen is not said to be offline.
    """

    state: S
    ends_at: datetime | None
    extra_seconds: int
    missing_seconds: int
    seen_at: int | None
    saved_at: int | None
    beat: int
    is_online: bool
    is_by_http: bool
    answered: int
    question: int
    has_called: bool
    is_contradicted: bool
    has_quarantine: bool
    is_presence_known: bool = True


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that one process has reached.

    Attributes:
        limit: which one.
        value: of it.
        waiting: who wait there; on a room's board, those of that room.
        since: since when somebody has been waiting, milliseconds since 1970.
        lack: for want of what fewer pass than the staff allows.
    """

    limit: LimitName
    value: int
    waiting: int
    since: int
    lack: Lack = Lack.NOTHING


SHEET_LABELS: Mapping[S, Label] = {
    S.EXPECTED: Label("quiet", "circle-dashed", "Attendu"),
    S.ADMITTED: Label("info", "circle", "Admis"),
    S.READY: Label("info", "circle-dot", "Prêt"),
    S.COMPOSING: Label("ok", "pen", "Compose"),
    S.PAUSED: Label("pause", "pause", "En pause"),
    S.SUBMITTED: Label("quiet", "check-circle", "Remis"),
    S.CLOSED: Label("quiet", "check-circle", "Clos"),
    S.ABSENT: Label("quiet", "cross", "Absent"),
    S.WITHDRAWN: Label("quiet", "cross", "Retiré"),
    S.EXCLUDED: Label("ended", "stop", "Exclu"),
}

ROOM_LABELS: Mapping[C, Label] = {
    C.PLANNED: Label("quiet", "hourglass", "Prévue"),
    C.LOBBY: Label("info", "door", "Accueil"),
    C.OPEN: Label("ok", "play", "Ouverte"),
    C.PAUSED: Label("pause", "pause", "En pause"),
    C.CLOSED: Label("quiet", "lock", "Close"),
    C.SIGNED: Label("quiet", "sign", "Signée"),
}

PRESENCE_UNKNOWN = Label(
    "warn",
    "wifi-off",
    "Redis ne répond pas : présences et mains levées ne sont pas connues. "
    "Les candidats composent, leurs réponses sont enregistrées.",
)

_FINISHED = frozenset({S.SUBMITTED, S.CLOSED, S.ABSENT, S.WITHDRAWN, S.EXCLUDED})
_WAITED = frozenset({S.COMPOSING, S.PAUSED})
_CONNECTED = _WAITED | {S.EXPECTED, S.ADMITTED, S.READY}


def network_label(sight: Sight, now: datetime) -> Label | None:
    """Return the state of the tablet's connection, or None: not known, not arrived, or finished."""
    if not sight.is_presence_known:
        return None
    if sight.state not in _CONNECTED or sight.seen_at is None:
        return Label("danger", "wifi-off", "Hors ligne") if sight.state in _WAITED else None
    silence = _age(sight.seen_at, now)
    if sight.is_online and not is_silent(silence, sight.beat):
        return Label("info", "wifi", "Secours HTTP") if sight.is_by_http else Label("ok", "wifi", "En ligne")
    if sight.state not in _WAITED or silence <= LOST_SECONDS:
        return Label("warn", "wifi-off", "Hors ligne")
    return Label("danger", "wifi-off", "Hors ligne")


def alerts(sight: Sight, now: datetime) -> list[Label]:
    """Return what needs somebody, the gravest first. Each stays its own line: none hides another."""
    network = network_label(sight, now)
    found = []
    if sight.has_called:
        found.append(Label("danger", "hand", "Le candidat appelle"))
    if sight.is_contradicted:
        found.append(
            Label("danger", "alert", "Des actes contradictoires sont arrivés : prévenez le référent informatique")
        )
    if network and network.icon == "wifi-off" and sight.state in _WAITED:
        since = "" if sight.seen_at is None else f" depuis {duration_words(_age(sight.seen_at, now))}"
        found.append(Label(network.tone, "wifi-off", f"Hors ligne{since} ; le candidat peut continuer"))
    if sight.missing_seconds and sight.state not in _FINISHED:
        minutes = -(-sight.missing_seconds // 60)
        found.append(Label("warn", "time-add", f"Temps majoré : il manque {minutes} min sur la copie"))
    if sight.has_quarantine:
        found.append(Label("warn", "alert", "Des actes sont gardés à part pour le jury"))
    return found


def limit_alerts(reached: Sequence[Reached], now: datetime, *, of_one_centre: bool) -> list[Label]:
    """Return one sentence for each limit that makes somebody wait: which one, since when, how many, what to do."""
    by_limit = (
        [one for one in reached if one.waiting and (one.limit, one.lack) == (limit, lack)]
        for limit in LimitName
        for lack in Lack
    )
    return [
        Label("danger", "hourglass", _limit_words(here, now, of_one_centre=of_one_centre)) for here in by_limit if here
    ]


def _limit_words(here: Sequence[Reached], now: datetime, *, of_one_centre: bool) -> str:
    since = duration_words(_age(min(one.since for one in here), now))
    limit, raising = _limit_and_remedy(here)
    where = "" if len(here) == 1 else f", dans {len(here)} processus"
    waiting = sum(one.waiting for one in here)
    whose = " de ce centre" if of_one_centre else ""
    who = f"1 tablette{whose} attend" if waiting == 1 else f"{_spaced(waiting)} tablettes{whose} attendent"
    todo = (
        "Rien n’est perdu, l’entrée se fera d’elle-même ; prévenez l’exploitation."
        if of_one_centre
        else f"Ceux qui composent ne sont pas gênés ; {raising} fait entrer les autres."
    )
    return f"Limite atteinte depuis {since} ({limit}{where}). {who}. {todo}"


def _limit_and_remedy(here: Sequence[Reached]) -> tuple[str, str]:
    value = _spaced(max(one.value for one in here))
    match here[0].lack:
        case Lack.DESCRIPTORS:
            return f"descripteurs de fichiers, places par processus : {value}", "relever « nofile » (prlimit)"
        case Lack.PAGES:
            return "pages d’entrée trop lentes", "un « web » de plus, ou un cœur,"
        case Lack.NOTHING:
            return f"{here[0].limit.label.lower()} : {value}", "relever la limite"


def _spaced(number: int) -> str:
    return f"{number:_}".replace("_", "\u202f")


def observed_alerts(observed: Sequence[GuardName]) -> list[Label]:
    """Return one sentence for each guard that turns nobody away for now."""
    return [
        Label("warn", "alert", f"Garde en observation, elle ne refuse plus rien : {name.label.lower()}.")
        for name in observed
    ]


def saved_words(sight: Sight, now: datetime) -> str:
    """Return how long ago the last answer became durable, in words."""
    return "" if sight.saved_at is None else duration_words(_age(sight.saved_at, now))


def left_words(sight: Sight, now: datetime) -> str:
    """Return what is left to a sheet that composes, in words."""
    if sight.ends_at is None or sight.state is not S.COMPOSING:
        return ""
    return duration_words(max(0, int((sight.ends_at - now).total_seconds())))


def accommodation_words(extra_seconds: int) -> str:
    """Return the personal extra time in words; empty when there is none."""
    return f"Temps majoré, + {extra_seconds // 60} min" if extra_seconds else ""


def duration_words(seconds: int) -> str:
    """Return a duration as people say it: tens of seconds under a minute, minutes, hours and minutes."""
    hours, minutes, tens = seconds // 3600, seconds // 60 % 60, seconds % 60 // 10 * 10
    if hours:
        return f"{hours} h {minutes:02}"
    if minutes:
        return f"{minutes} min"
    return f"{tens} s" if tens else "moins de 10 s"


def _age(at: int, now: datetime) -> int:
    return max(0, int(now.timestamp()) - at // 1000)
