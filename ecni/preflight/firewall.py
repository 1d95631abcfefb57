"""The rules of a firewall that count connections: reading them from its listings."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

PATIENCE_SECONDS = 5.0
SECONDS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86_400,
    "day": 86_400,
}
REFUSES = re.compile(r"\b(drop|reject)\b")
ACCEPTS = re.compile(r"\baccept\b")
NFT_COUNT = re.compile(r"\bct count (?P<over>over )?(?P<most>\d+)")
NFT_RATE = re.compile(r"\blimit rate (?P<over>over )?(?P<most>\d+)/(?P<unit>\w+)(?: burst (?P<burst>\d+) packets)?")
NFT_PORTS = re.compile(r"\b(?:tcp|th) dport (?:\{(?P<many>[^}]*)\}|(?P<one>[\d-]+))")
NEW_CALLS = re.compile(r"ct state (?:new\b|\{ new \})|tcp flags \S*\s*(?:&|==|syn|\()")


class Kind(Enum):
    """What a rule counts."""

    CONNECTIONS = auto()
    CALLS = auto()
    """New connections, per second."""
    PACKETS = auto()
    """Packets of any kind, per second."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule that bounds what comes in.

    Attributes:
        kind: what it counts.
        most: how many, at the same time or per second.
        burst: how many more at once, of what is per second.
        is_by_address: whether each address, or small network, has its own count.
        ports: first and last of each range of ports that it is about; empty for all.
        rule: as the firewall lists it.
    """

    kind: Kind
    most: float
    burst: int
    is_by_address: bool
    ports: tuple[tuple[int, int], ...]
    rule: str

    def is_about(self, ports: Iterable[int]) -> bool:
        """Whether it concerns one of these ports."""
        return not self.ports or any(low <= port <= high for low, high in self.ports for port in ports)


@dataclass(frozen=True, slots=True)
class Rules:
    """What could be read: the bounds, and in French what could not."""

    bounds: tuple[Bound, ...]
    unread: str = ""


def read_firewall() -> Rules:
    """Return the bounds of every firewall that this machine has and this account may list."""
    commands = {"iptables": ["iptables-save"], "ip6tables": ["ip6tables-save"], "nft": ["nft", "list", "ruleset"]}
    texts = {name: _listed(words) for name, words in commands.items() if shutil.which(words[0])}
    if not texts:
        return Rules((), "ni iptables ni nft ici")
    read = {name: text for name, text in texts.items() if text is not None}
    unread = ", ".join(name for name, text in texts.items() if text is None)
    if "xt match" in read.get("nft", "") and "iptables" not in read:
        unread = unread or "règles d’iptables"
    found = [bound for name, text in read.items() for bound in (nft_bounds if name == "nft" else iptables_bounds)(text)]
    alike = {(one.kind, one.most, one.burst, one.is_by_address, one.ports): one for one in reversed(found)}
    return Rules(tuple(alike.values()), f"{unread} : illisible par ce compte" if unread else "")


def _listed(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)  # noqa: S603 -- the commands above
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def iptables_bounds(text: str) -> list[Bound]:
    """Return the bounds among the rules that `iptables-save`, or `iptables -S`, lists."""
    lines = (line.partition("-A ")[2] for line in text.splitlines() if re.match(r"(\[\d+:\d+\] )?-A ", line))
    return [bound for line in lines if (bound := _iptables_bound(line)) is not None]


def _iptables_bound(line: str) -> Bound | None:
    options = _options(shlex.split(line))
    target = options.get("-j", "")
    if options.get("-p", "tcp") not in {"tcp", "6", "all"} or target in {"", "LOG", "NFLOG", "MARK", "TRACE"}:
        return None
    is_accepting = target in {"ACCEPT", "RETURN"}
    is_calls = "SYN" in options.get("--tcp-flags", "") or "--syn" in options
    is_calls |= bool({"NEW"} & set(options.get("--ctstate", options.get("--state", "")).split(",")))
    rule, ports = f"-A {line}", _iptables_ports(options)
    kind = Kind.CALLS if is_calls else Kind.PACKETS
    most = options.get("--connlimit-upto" if is_accepting else "--connlimit-above")
    if most is not None:
        mask = int(options.get("--connlimit-mask", "32"))
        is_by_address = mask > 0 and "--connlimit-daddr" not in options
        return Bound(Kind.CONNECTIONS, int(most), 0, is_by_address, ports, rule)
    if "--hitcount" in options and "--seconds" in options and not is_accepting:
        hits = int(options["--hitcount"])
        return Bound(kind, hits / int(options["--seconds"]), hits, is_by_address=True, ports=ports, rule=rule)
    accepted, refused = (
        options.get("--hashlimit-upto", options.get("--limit", "")),
        options.get("--hashlimit-above", ""),
    )
    rate = _rate(accepted if is_accepting else refused)
    if rate is None:
        return None
    burst = int(options.get("--hashlimit-burst", options.get("--limit-burst", "5")))
    return Bound(kind, rate, burst, "srcip" in options.get("--hashlimit-mode", ""), ports, rule)


def _options(words: Sequence[str]) -> dict[str, str]:
    """Return each option with the words that follow it; one that is denied is left out."""
    found: dict[str, list[str]] = {}
    name, is_denied = "", False
    for word in words:
        if word == "!":
            is_denied = True
        elif word.startswith("-") and not word.lstrip("-").isdecimal():
            name = "" if is_denied else word
            is_denied = False
            found.setdefault(name, [])
        else:
            found.setdefault(name, []).append(word)
    return {name: " ".join(values) for name, values in found.items() if name}


def _iptables_ports(options: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    return _ranges(options.get("--dport", options.get("--dports", "")), ":")


def nft_bounds(text: str) -> list[Bound]:
    """Return the bounds among the rules that `nft list ruleset` lists, one a line."""
    return [bound for line in map(str.strip, text.splitlines()) if (bound := _nft_bound(line)) is not None]


def _nft_bound(line: str) -> Bound | None:
    count, rate = NFT_COUNT.search(line), NFT_RATE.search(line)
    found = count or rate
    if found is None or not (REFUSES if found["over"] else ACCEPTS).search(line) or re.search(r"\budp\b", line):
        return None
    ports = NFT_PORTS.search(line)
    ranges = _ranges((ports["many"] or ports["one"]).replace(" ", ""), "-") if ports else ()
    is_by_address = bool(re.search(r"\{[^}]*\bip6? saddr\b[^}]*(?:ct count|limit rate)", line))
    if count:
        return Bound(Kind.CONNECTIONS, int(count["most"]), 0, is_by_address, ranges, line)
    if rate is None or rate["unit"] not in SECONDS:
        return None
    kind = Kind.CALLS if NEW_CALLS.search(line) else Kind.PACKETS
    return Bound(kind, int(rate["most"]) / SECONDS[rate["unit"]], int(rate["burst"] or 5), is_by_address, ranges, line)


def _rate(text: str) -> float | None:
    number, _, unit = text.partition("/")
    return int(number) / SECONDS[unit or "second"] if number.isdecimal() and (unit or "second") in SECONDS else None


def _ranges(text: str, dash: str) -> tuple[tuple[int, int], ...]:
    return tuple(_range(part, dash) for part in text.split(",") if part and part[0].isdecimal())


def _range(part: str, dash: str) -> tuple[int, int]:
    low, _, high = part.partition(dash)
    return int(low), int(high or low)
