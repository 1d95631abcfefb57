"""Reading the firewall of this machine: rules that bound connections, and what they dropped."""

import re
import shutil
import subprocess
import time
from collections import Counter

from ecni.watch.rules import Reading

PATIENCE_SECONDS = 1.0
AGAIN_SECONDS = 60.0
IPTABLES_RULE = re.compile(r"^\s*(?P<packets>\d+)\s+\d+\s+(?P<target>DROP|REJECT)\s.*#conn \S+ > (?P<most>\d+)")
CHAIN = re.compile(r"^\s*[Cc]hain (\S+)")
NFT_RULE = re.compile(
    r"ct count over (?P<most>\d+).*?counter packets (?P<packets>\d+) bytes \d+ (?P<target>drop|reject)"
)


class Firewall:
    """iptables and nftables, when they are here and this account may list their rules."""

    def __init__(self) -> None:
        self._commands = [
            command
            for command in (["iptables", "-nvxL"], ["ip6tables", "-nvxL"], ["nft", "list", "ruleset"])
            if shutil.which(command[0])
        ]
        self._before: dict[str, int] = {}
        self._not_before = 0.0

    def read(self) -> list[Reading]:
        """Return one reading for each rule that bounds connections; what it dropped since the last one is a refusal."""
        if time.monotonic() < self._not_before:
            return []
        texts = {command[0]: text for command in self._commands if (text := _listed(command)) is not None}
        if not texts:
            self._not_before = time.monotonic() + AGAIN_SECONDS
        readings = {}
        for name, packets, most in (found for text in texts.items() for found in rules(*text)):
            dropped = max(0, packets - self._before.get(name, packets))
            self._before[name] = packets
            words = f"une règle du pare-feu refuse au-delà de {most} connexions" if dropped else ""
            readings[name] = Reading("firewall", f"limite {most}", dropped, 0, refused=dropped, words=words)
        return list(readings.values())


def rules(program: str, text: str) -> list[tuple[str, int, int]]:
    """Return each rule that bounds connections in a listing, by a name of its own, with packets dropped and its bound.

    The name is the program, the chain and the text without counters, and which one of those that are alike.
    """
    found: list[tuple[str, int, int]] = []
    chain, alike = "", Counter[str]()
    for line in text.splitlines():
        if heading := CHAIN.match(line):
            chain = heading[1]
        match = IPTABLES_RULE.search(line) or NFT_RULE.search(line)
        if match:
            rule = " ".join(re.sub(r"^\s*\d+\s+\d+|packets \d+ bytes \d+", "", line).split())
            name = f"{program} {chain} {rule}"
            alike[name] += 1
            found.append((f"{name} {alike[name]}", int(match["packets"]), int(match["most"])))
    return found


def _listed(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- the commands above
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
