"""The inputs, read into plain records. Times are monotonic seconds unless said; exported times are milliseconds."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RETRY = frozenset({"too-fast", "paused", "busy", "gap"})
"""Refusals that decide nothing: the tablet sends the same op again."""
LOST_STORAGE = frozenset({"wiped", "corrupt", "foreign"})

Line = dict[str, Any]


@dataclass(slots=True)
class Op:
    """One op as a tablet made it: acknowledged, refused, or unknown. `made` is when its act was first done."""

    tablet: str
    sheet: str
    act: int
    seq: int
    kind: str
    question: int
    value: str
    at: int
    digest: str
    made: float
    sent: float | None = None
    last_sent: float | None = None
    acked: float | None = None
    took: float | None = None
    refusals: list[tuple[float, str]] = field(default_factory=list)

    @property
    def refused(self) -> tuple[float, str] | None:
        """The refusal that decided, if one did: instant and code."""
        return next((refusal for refusal in self.refusals if refusal[1] not in RETRY), None)

    @property
    def known(self) -> float | None:
        """When its outcome was first known."""
        if self.acked is not None:
            return self.acked
        return self.refused[0] if self.refused else None


@dataclass(slots=True)
class Tablet:
    """One device and all that it wrote: `ops` by number and digest, `acts` with the instant of each."""

    name: str
    sheet: str = ""
    ops: dict[tuple[int, str], Op] = field(default_factory=dict)
    saved: list[tuple[float, int, str]] = field(default_factory=list)
    receipts: list[tuple[float, int, str]] = field(default_factory=list)
    reads: dict[int, float] = field(default_factory=dict)
    offline: list[tuple[float, bool]] = field(default_factory=list)
    storage_lost: list[float] = field(default_factory=list)
    acts: dict[int, float] = field(default_factory=dict)
    finished: bool = False
    readonly: str = ""

    def waits(self) -> list[tuple[float, float]]:
        """For each act, in order: when it was done, and when its outcome was known, or forgotten with the storage."""
        known = dict.fromkeys(self.acts, float("inf"))
        for op in self.ops.values():
            if op.known is not None:
                known[op.act] = min(known[op.act], op.known)
        forgotten = {
            act: min((lost for lost in self.storage_lost if lost >= made), default=float("inf"))
            for act, made in self.acts.items()
        }
        return sorted((made, min(known[act], forgotten[act])) for act, made in self.acts.items())

    def was_offline(self, start: float, end: float) -> bool:
        """Whether its holder had taken its network away during some of a span."""
        there = True
        for instant, state in self.offline:
            if instant > end:
                break
            if instant > start and not (there and state):
                return True
            there = state
        return not there


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the exported journal."""

    sheet: str
    seq: int
    epoch: int
    kind: str
    question: int
    value: str
    made_at: int
    received_at: float
    digest: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What was broken, from when to when; `centre` when it was broken for that one alone."""

    what: str
    centre: str | None
    start: float
    end: float


KINDS = {1: "answer", 2: "seal", 3: "flag", 4: "strike", 5: "submit"}


class History:
    """Everything that one folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tablets = [read_tablet(path) for path in sorted((folder / "tablets").glob("*.jsonl"))]
        self.timetable: Line = json.loads((folder / "timetable.json").read_text(encoding="utf-8"))
        self.faults = [
            Fault(line["what"], line["centre"], line["from"]["mono"], line["until"]["mono"])
            for line in lines(folder / "faults.jsonl")
        ]
        self.probes = list(lines(folder / "probes.jsonl"))
        self.sheets: dict[str, Line] = {line["sheet"]: line for line in self._export("sheets")}
        self.questions = {line["number"]: line for line in self._export("questions")}
        self.frozen = {line["sheet"]: line for line in self._export("frozen")}
        self.sitting: Line = next(iter(self._export("sittings")), {})
        self.refused = self._optional("refused")
        self.checkpoints = self._optional("checkpoints")
        self.rows = [_row(line) for line in self._export("journal")]
        self.rows.sort(key=lambda row: (row.sheet, row.seq))
        self.chains: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            self.chains[row.sheet].append(row)
        self.ops: dict[tuple[str, int, str], Op] = {}
        for tablet in self.tablets:
            for op in tablet.ops.values():
                self.ops.setdefault((op.sheet, op.seq, op.digest), op)
        self.stored = {(row.sheet, row.seq, row.digest) for row in self.rows}
        self._shift = _shift(self.timetable)

    def centre_of(self, sheet: str) -> str:
        """The centre where a sheet is held."""
        return str(self.timetable["sheets"].get(sheet, {}).get("centre", ""))

    def mono(self, wall: float) -> float:
        """Return milliseconds since 1970, by the staff's clock, as monotonic seconds."""
        return wall / 1000 - self._shift

    def deeds(self, act: str) -> list[Line]:
        """What the staff did under one name."""
        return [deed for deed in self.timetable["deeds"] if deed["act"] == act]

    def _export(self, name: str) -> Iterator[Line]:
        return lines(self.folder / "export" / f"{name}.jsonl")

    def _optional(self, name: str) -> list[Line] | None:
        return list(self._export(name)) if (self.folder / "export" / f"{name}.jsonl").exists() else None


def lines(path: Path) -> Iterator[Line]:
    """Read JSON lines; a last line cut by a crash is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


def read_tablet(path: Path) -> Tablet:
    """Read the testimony of one device."""
    tablet = Tablet(path.stem)
    for line in lines(path):
        reader = _READERS.get(line["e"])
        if reader is not None:
            reader(tablet, line)
    return tablet


def _state(tablet: Tablet, line: Line) -> None:
    tablet.sheet = line["sheet"]


def _invoke(tablet: Tablet, line: Line) -> None:
    key = (line["seq"], line["digest"])
    made = tablet.acts.setdefault(line["act"], line["mono"])
    tablet.ops.setdefault(
        key,
        Op(
            tablet=tablet.name,
            sheet=tablet.sheet,
            act=line["act"],
            seq=line["seq"],
            kind=line["kind"],
            question=line["q"],
            value=line["value"],
            at=line["at"],
            digest=line["digest"],
            made=made,
        ),
    )


def _send(tablet: Tablet, line: Line) -> None:
    op = tablet.ops.get((line["seq"], line["digest"]))
    if op is not None:
        op.last_sent = line["mono"]
        op.sent = op.sent or line["mono"]


def _ack(tablet: Tablet, line: Line) -> None:
    op = tablet.ops.get((line["seq"], line["digest"]))
    if op is not None and op.acked is None:
        op.acked, op.took = line["mono"], line.get("took")


def _refused(tablet: Tablet, line: Line) -> None:
    op = tablet.ops.get((line["seq"], line["digest"]))
    if op is not None:
        op.refusals.append((line["mono"], line["code"]))


def _saved(tablet: Tablet, line: Line) -> None:
    tablet.saved.append((line["mono"], line["seq"], line["digest"]))


def _receipt(tablet: Tablet, line: Line) -> None:
    tablet.receipts.append((line["mono"], line["seq"], line["digest"]))


def _read(tablet: Tablet, line: Line) -> None:
    tablet.reads.setdefault(line["q"], line["mono"])


def _network(tablet: Tablet, line: Line) -> None:
    tablet.offline.append((line["mono"], line["there"]))


def _reload(tablet: Tablet, line: Line) -> None:
    if line["storage"] in LOST_STORAGE:
        tablet.storage_lost.append(line["mono"])


def _finish(tablet: Tablet, _line: Line) -> None:
    tablet.finished = True


def _readonly(tablet: Tablet, line: Line) -> None:
    tablet.readonly = line["why"]


_READERS = {
    "state": _state,
    "invoke": _invoke,
    "send": _send,
    "ack": _ack,
    "refused": _refused,
    "saved": _saved,
    "receipt": _receipt,
    "read": _read,
    "network": _network,
    "reload": _reload,
    "finish": _finish,
    "readonly": _readonly,
}


def _row(line: Line) -> Row:
    return Row(
        sheet=line["sheet"],
        seq=line["seq"],
        epoch=line["epoch"],
        kind=KINDS.get(line["kind"], str(line["kind"])),
        question=line["question"],
        value=line["value"],
        made_at=line["made_at"],
        received_at=float(line["received_at"]),
        digest=line["digest"],
    )


def _shift(timetable: Line) -> float:
    deeds = timetable["deeds"]
    return deeds[0]["asked"]["wall"] / 1000 - deeds[0]["asked"]["mono"] if deeds else 0.0


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of an ordered list lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
