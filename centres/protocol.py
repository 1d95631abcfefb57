"""What a room console asks for: commands, read alike from a form and from a socket frame. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_SEATS = 2000
MAX_ID = 2**53
LONGEST_REASON = 200
LONGEST_REPORT = 4000
LONGEST_MINUTES = 180
NO_ANSWER = "La base de données ne répond pas. Regardez le tableau avant de recommencer."


class BadCommand(Exception):
    """A message that is no command; the text, in French, is for the person who tried."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """Open the doors."""


@dataclass(frozen=True, slots=True)
class Open:
    """Start the time."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Admit some seats, or everybody still expected when there is none."""

    seats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeclareAbsent:
    """Nobody came for these seats."""

    seats: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class PauseRoom:
    """Stop the time."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResumeRoom:
    """Start the time again."""


@dataclass(frozen=True, slots=True)
class GrantTime:
    """Give minutes to some seats, or to everybody when there is none."""

    seats: tuple[int, ...]
    minutes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """Take a sheet from its tablet and give a new slip."""

    seat: int
    reason: str


@dataclass(frozen=True, slots=True)
class HandleCall:
    """Somebody goes to the candidate."""

    seat: int


@dataclass(frozen=True, slots=True)
class Report:
    """Write an incident, of one seat or of the centre."""

    seat: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the sitting in this centre; a reason goes through what the checklist refuses."""

    reason: str


Command = (
    Welcome | Open | Admit | DeclareAbsent | PauseRoom | ResumeRoom | GrantTime | Release | HandleCall | Report | Close
)


def parse_command(verb: object, data: Mapping[str, Any]) -> Command:
    """Read one command; numbers may come as digits, since forms have only texts.

    Raises:
        BadCommand: the verb is unknown or a field is not what it should be.
    """
    reader = _READERS.get(verb) if isinstance(verb, str) else None
    if reader is None:
        raise BadCommand("Commande inconnue.")
    return reader(data)


def _integer(value: object, highest: int, words: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(highest)):
        value = int(value)
    if type(value) is not int or not 1 <= value <= highest:
        raise BadCommand(words)
    return value


def _seat(data: Mapping[str, Any]) -> int:
    return _seats(data, least=1)[0]


def _seats(data: Mapping[str, Any], least: int = 0) -> tuple[int, ...]:
    value = data.get("seats", [])
    if not isinstance(value, Sequence) or isinstance(value, str) or not least <= len(value) <= MAX_SEATS:
        raise BadCommand("Choisissez au moins une place.")
    return tuple(_integer(seat, MAX_ID, "Place inconnue.") for seat in value)


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise BadCommand("Texte illisible.")
    text = value.strip()
    if len(text) > longest:
        raise BadCommand(f"Texte trop long : {longest} caractères au plus.")
    return text


def _reason(data: Mapping[str, Any]) -> str:
    return _text(data, "reason", LONGEST_REASON)


def _report(data: Mapping[str, Any]) -> Report:
    text = _text(data, "text", LONGEST_REPORT)
    if not text:
        raise BadCommand("Racontez ce qui s’est passé.")
    seats = _seats(data)
    return Report(seat=seats[0] if seats else None, text=text)


def _minutes(data: Mapping[str, Any]) -> int:
    return _integer(data.get("minutes"), LONGEST_MINUTES, "Minutes : un nombre entier, de 1 à 180.")


def parse_grant(data: Mapping[str, Any]) -> GrantTime:
    """Read minutes for everybody, with their reason.

    Raises:
        BadCommand: a field is not what it should be.
    """
    return GrantTime((), _minutes(data), _reason(data))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Command]] = {
    "accueillir": lambda _data: Welcome(),
    "ouvrir": lambda _data: Open(),
    "admettre": lambda data: Admit(_seats(data, least=1)),
    "admettre-tous": lambda _data: Admit(()),
    "absents": lambda data: DeclareAbsent(_seats(data, least=1), _reason(data)),
    "pause": lambda data: PauseRoom(_reason(data)),
    "reprendre": lambda _data: ResumeRoom(),
    "temps": lambda data: GrantTime(_seats(data, least=1), _minutes(data), _reason(data)),
    "temps-tous": parse_grant,
    "liberer": lambda data: Release(_seat(data), _reason(data)),
    "appel": lambda data: HandleCall(_seat(data)),
    "incident": _report,
    "clore": lambda data: Close(_reason(data)),
}
"""The words of commands: last word of a form's address, `verb` of a socket frame."""

VERBS = frozenset(_READERS)
