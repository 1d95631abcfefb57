"""What the options of a socket server allow, as pure functions of its command line. No reading here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ecni.preflight.limits import Finding

LONGEST_SECONDS = 4 * 3600
"""A tablet's socket may live so long: a paper of 3 h, the lobby before it and extra time."""

STORM_SECONDS = 20
"""In which a handshake or a pong comes, while everybody comes back: at 5 s, 822 handshakes of 10,000 were lost."""

SERVER = re.compile(r"(?:^|-m |/)(daphne|uvicorn)(?= |$)")


@dataclass(frozen=True, slots=True)
class Option:
    """An option in seconds.

    Attributes:
        name: as it is written.
        default: what the server takes without it.
        least: what candidates need.
        may_be_endless: whether a negative number stands for no end.
    """

    name: str
    default: float
    least: int
    may_be_endless: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value is enough."""
        return value >= self.least or (self.may_be_endless and value < 0)


OPTIONS: Mapping[str, Sequence[Option]] = {
    "daphne": (
        Option("--websocket_timeout", 86_400, LONGEST_SECONDS, may_be_endless=True),
        Option("--websocket_connect_timeout", 5, STORM_SECONDS),
        Option("--ping-timeout", 30, STORM_SECONDS),
    ),
    "uvicorn": (Option("--ws-ping-timeout", 20, STORM_SECONDS),),
}
"""Daphne's help has -1 as no end of its handshakes too: in truth it refuses whoever its check finds waiting."""

ENDING: Mapping[str, Sequence[str]] = {"daphne": (), "uvicorn": ("--limit-max-requests",)}
"""Options by which a server stops by itself, its tablets with it."""


def server_options(command: str) -> Finding:
    """Judge the options of a server, those left to its own defaults among them.

    Args:
        command: its command line, words separated by spaces.
    """
    found = SERVER.search(command)
    if found is None:
        remedy = "vérifier ce qui y ferme une connexion : durée, attente, nombre de requêtes"
        return Finding("server-options", "serveur inconnu", "daphne ou uvicorn", None, None, remedy)
    lacking = list(_lacking(found[1], command))
    if not lacking:
        return Finding("server-options", "options sûres", "-", None, is_met=True)
    values, needed, remedies = (", ".join(words) for words in zip(*lacking, strict=True))
    return Finding("server-options", values, needed, None, is_met=False, remedy=f"relancer {remedies}")


def _lacking(server: str, command: str) -> Iterator[tuple[str, str, str]]:
    """Give each option that closes a connection too soon: what it is, what is needed, what to do."""
    for option in OPTIONS[server]:
        value = float(_given(option.name, command) or option.default)
        if not option.is_met(value):
            yield f"{option.name} {value:g}", str(option.least), f"avec {option.name} {option.least} au moins"
    for name in ENDING[server]:
        if given := _given(name, command):
            yield f"{name} {given}", "absente", f"sans {name}"


def _given(name: str, command: str) -> str | None:
    """Return the last number given to an option, which is the one that counts."""
    return next(reversed(re.findall(rf" {re.escape(name)}[ =](-?[\d.]+)(?= |$)", command)), None)
