"""I1 to I16, each decided from the history alone: held, broken with the places, or not observed."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from math import inf

from loadtests.checker.fold import answers, frozen_answers, genesis, leaf, link, tree
from loadtests.checker.history import History, Line, Op, Row, Tablet, quantile
from loadtests.checker.time import Span, ends, openings

NAMES = tuple(f"I{number}" for number in range(1, 17))
CLOCK_SECONDS = 0.3
"""How far two readings of what happened may lie apart: scheduling, not faults."""
MADE_SECONDS = 1.3
"""How long after the end an act may pass for made in time: the second that the platform forgives, and the above."""
TIME_SECONDS = 1.0
"""How exactly granted time must be given (I7)."""
OTHERS_RATIO, OTHERS_SECONDS = 1.2, 0.25
"""I14: the others are disturbed when their p99 grew by more than a fifth and passes 250 ms, which nobody sees."""
FEW = 200
"""Acknowledgements without which a 99th percentile says nothing."""
END_STATES = frozenset({"SUBMITTED", "CLOSED"})


@dataclass(slots=True)
class Findings:
    """What was looked at, and what was found broken."""

    looked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, float | int | None] = field(default_factory=dict)

    def look(self, name: str, times: int = 1) -> None:
        """Note that something was looked at for an invariant."""
        self.looked[name] += times

    def breach(self, name: str, sheet: str, seq: int, reason: str) -> None:
        """Note one place where an invariant is broken."""
        self.broken[name].append((sheet, seq, reason))

    def verdict(self, name: str) -> str:
        """Return `held`, `broken` or `not observed`."""
        if self.broken.get(name):
            return "broken"
        return "held" if self.looked[name] else "not observed"


def decide(history: History) -> Findings:
    """Decide every invariant."""
    findings = Findings()
    for check in CHECKS:
        check(history, findings)
    return findings


def kept(history: History, findings: Findings) -> None:
    """I1: what was acknowledged is in the journal, and the frozen copy is the fold of the journal."""
    lost = 0
    for key, op in history.ops.items():
        if op.acked is None:
            continue
        findings.look("I1")
        if key not in history.stored:
            lost += 1
            findings.breach("I1", op.sheet, op.seq, f"acknowledged {op.kind} {op.question} is not in the journal")
    for sheet, frozen in history.frozen.items():
        findings.look("I1")
        folded = {number: value for number, value in answers(history.chains[sheet]).items() if value}
        if folded != frozen_answers(frozen, history.questions):
            findings.breach("I1", sheet, frozen["last_seq"], "the frozen copy is not the fold of the journal")
    for sheet, row in history.sheets.items():
        if row["state"] in END_STATES and sheet not in history.frozen:
            findings.breach("I1", sheet, 0, "a finished sheet is not frozen")
    findings.counts["acknowledged"] = sum(op.acked is not None for op in history.ops.values())
    findings.counts["unknown"] = sum(op.known is None for op in history.ops.values())
    findings.counts["lost"] = lost


def exactly_once(history: History, findings: Findings) -> None:
    """I2: numbers without gap or repeat, each act once, in the order in which it was made."""
    duplicated = 0
    for sheet, chain in history.chains.items():
        findings.look("I2", len(chain))
        for place, row in enumerate(chain, start=1):
            if row.seq != place:
                duplicated += place > row.seq
                findings.breach(
                    "I2", sheet, row.seq, "repeated number" if place > row.seq else "gap before this number"
                )
                break
        duplicated += _acts_once(history, findings, sheet)
    findings.counts["duplicated"] = duplicated


def _acts_once(history: History, findings: Findings, sheet: str) -> int:
    last: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    repeated = 0
    for row in history.chains[sheet]:
        op = history.ops.get((sheet, row.seq, row.digest))
        if op is None:
            continue
        if (op.tablet, op.act) in seen:
            repeated += 1
            findings.breach("I2", sheet, row.seq, f"act {op.act} of {op.tablet} is there twice")
        elif op.act < last.get(op.tablet, 0):
            findings.breach("I2", sheet, row.seq, f"act {op.act} of {op.tablet} comes after act {last[op.tablet]}")
        seen.add((op.tablet, op.act))
        last[op.tablet] = max(op.act, last.get(op.tablet, 0))
    return repeated


def sent_until_known(history: History, findings: Findings) -> None:
    """I3: every act of a tablet that lived to the end was sent until something was known of it."""
    for tablet in history.tablets:
        if not (tablet.finished or tablet.readonly == "replaced"):
            continue
        known = {op.act for op in tablet.ops.values() if op.known is not None}
        for op in tablet.ops.values():
            findings.look("I3")
            if op.act in known or any(lost >= op.made for lost in tablet.storage_lost):
                continue
            never = "was never sent" if op.sent is None else "was given up without an answer"
            findings.breach("I3", op.sheet, op.seq, f"{op.kind} {op.question} {never}")


def in_time(history: History, findings: Findings) -> None:
    """I4: nothing after the end and its grace; everything made before and received in grace; the rest as agreed."""
    grace = float(history.timetable["grace"])
    granted = ends(history)
    late = 0
    for row in history.rows:
        end = history.sheets.get(row.sheet, {}).get("ends_at")
        if end is not None:
            findings.look("I4")
            if row.received_at > float(end) + 1000 * (grace + 0.05):
                late += 1
                findings.breach("I4", row.sheet, row.seq, "recorded after the end and its grace")
    for op in history.ops.values():
        if op.sheet in granted:
            late += _in_time(history, findings, op, granted[op.sheet], grace)
    findings.counts["accepted_late"] = late


def _in_time(history: History, findings: Findings, op: Op, end: Span, grace: float) -> int:
    if op.acked is not None and op.sent is not None and op.sent > end.high + grace + CLOCK_SECONDS:
        findings.breach("I4", op.sheet, op.seq, "acknowledged although it was first sent after the end and its grace")
        return 1
    if op.refused is not None and op.refused[1] in {"late", "quarantined"} and not _was_released(history, op):
        findings.look("I4")
        _refused_rightly(history, findings, op, end, grace)
    return 0


def _refused_rightly(history: History, findings: Findings, op: Op, end: Span, grace: float) -> None:
    instant, code = op.refused or (0.0, "")
    made_before = op.made < end.low - CLOCK_SECONDS
    made_after = op.made > end.high + MADE_SECONDS
    if made_before and instant < end.low + grace:
        findings.breach("I4", op.sheet, op.seq, f"{code} although it was made and received in time")
    if history.refused is None or (op.last_sent or 0.0) < end.high + grace:
        return
    if made_before and code != "quarantined":
        findings.breach("I4", op.sheet, op.seq, "made in time, arrived after the grace, and not kept for the jury")
    if made_after and code != "late":
        findings.breach("I4", op.sheet, op.seq, "made after the end, and kept as if it had been made in time")


def _was_released(history: History, op: Op) -> bool:
    return any(deed.get("sheet") == op.sheet for deed in history.deeds("liberer"))


def nothing_early(history: History, findings: Findings) -> None:
    """I5: no question readable before its centre opened, no step before the seal of the one before it was stored."""
    opened = openings(history)
    seals = {(row.sheet, row.question): row for row in history.rows if row.kind == "seal"}
    for tablet in history.tablets:
        opening = opened.get(history.centre_of(tablet.sheet))
        for question, instant in tablet.reads.items():
            findings.look("I5")
            if opening is None or instant < opening.low:
                findings.breach("I5", tablet.sheet, 0, f"question {question} was read before the opening")
            previous = history.questions.get(question, {}).get("previous", 0)
            if previous and instant < _stored_at(history, tablet, seals.get((tablet.sheet, previous))):
                findings.breach("I5", tablet.sheet, 0, f"question {question} was read before {previous} was final")


def _stored_at(history: History, tablet: Tablet, seal: Row | None) -> float:
    """Return when a tablet could know that a seal is stored: told so, or, by another tablet's, when it had come."""
    if seal is None:
        return inf
    op = history.ops.get((seal.sheet, seal.seq, seal.digest))
    if op is not None and op.tablet == tablet.name and op.acked is not None:
        return op.acked
    return history.mono(seal.received_at) - CLOCK_SECONDS


def nobody_elses(history: History, findings: Findings) -> None:
    """I6: every row was made by a tablet that held that sheet, and says what that tablet said."""
    foreign = 0
    for row in history.rows:
        findings.look("I6")
        op = history.ops.get((row.sheet, row.seq, row.digest))
        if op is None:
            foreign += 1
            findings.breach("I6", row.sheet, row.seq, "no tablet of this sheet made it")
        elif (op.kind, op.question, op.value) != (row.kind, row.question, row.value):
            findings.breach("I6", row.sheet, row.seq, "it does not say what the tablet said")
    findings.counts["foreign"] = foreign


def granted_time(history: History, findings: Findings) -> None:
    """I7: the end of each sheet is what was granted, within a second."""
    for sheet, end in ends(history).items():
        stored = history.sheets.get(sheet, {}).get("ends_at")
        if stored is None:
            continue
        findings.look("I7")
        instant = history.mono(float(stored))
        if not end.low - TIME_SECONDS <= instant <= end.high + TIME_SECONDS:
            off = instant - (end.low if instant < end.low else end.high)
            findings.breach("I7", sheet, 0, f"its end is {off:+.1f} s from what was granted")


def one_tablet(history: History, findings: Findings) -> None:
    """I8: epochs never go back, and a released tablet records nothing more."""
    released: dict[str, list[Line]] = defaultdict(list)
    for deed in history.deeds("liberer"):
        released[deed["sheet"]].append(deed)
    for sheet, chain in history.chains.items():
        findings.look("I8")
        for before, row in pairwise(chain):
            if row.epoch < before.epoch:
                findings.breach("I8", sheet, row.seq, f"epoch {row.epoch} after epoch {before.epoch}")
        _no_turns(history, findings, sheet)
        _released_is_silent(history, findings, sheet, released.get(sheet, []))


def _no_turns(history: History, findings: Findings, sheet: str) -> None:
    held: list[str] = []
    for row in history.chains[sheet]:
        op = history.ops.get((sheet, row.seq, row.digest))
        if op is not None and op.tablet in held[:-1]:
            findings.breach("I8", sheet, row.seq, f"{op.tablet} wrote again after {held[-1]}")
        if op is not None and op.tablet not in held:
            held.append(op.tablet)


def _released_is_silent(history: History, findings: Findings, sheet: str, deeds: list[Line]) -> None:
    first = int(history.sheets.get(sheet, {}).get("epoch", 1)) - len(deeds)
    for row in history.chains[sheet] if deeds else []:
        op = history.ops.get((sheet, row.seq, row.digest))
        place = row.epoch - first
        if op is None or op.sent is None or not 0 <= place < len(deeds):
            continue
        if op.sent > deeds[place]["done"]["mono"] + CLOCK_SECONDS:
            findings.breach("I8", sheet, row.seq, "sent by a tablet after its sheet had been released")


def refused_leaves_nothing(history: History, findings: Findings) -> None:
    """I9: what was refused for good is not in the journal; what was put aside is where the jury looks."""
    aside = {(line["sheet"], line["seq"], line["digest"]) for line in history.refused or []}
    for key, op in history.ops.items():
        if op.refused is None or op.acked is not None:
            continue
        findings.look("I9")
        if key in history.stored:
            findings.breach("I9", op.sheet, op.seq, f"refused ({op.refused[1]}) and recorded")
        if op.refused[1] == "quarantined" and key not in aside:
            findings.breach("I9", op.sheet, op.seq, "said to be kept for the jury, and not kept")


def chained(history: History, findings: Findings) -> None:
    """I10: chains, frozen heads, receipts and checkpoints agree."""
    heads: dict[str, list[str]] = {}
    for sheet in history.sheets:
        head = genesis(history.sitting.get("id", 0), sheet)
        heads[sheet] = [head]
        for row in history.chains.get(sheet, []):
            findings.look("I10")
            head = link(head, row)
            if head != row.digest:
                findings.breach("I10", sheet, row.seq, "the chain breaks here")
                break
            heads[sheet].append(head)
    for sheet, frozen in history.frozen.items():
        findings.look("I10")
        if frozen["head_digest"] != heads[sheet][-1] or frozen["last_seq"] != len(history.chains.get(sheet, [])):
            findings.breach("I10", sheet, frozen["last_seq"], "the frozen head is not the head of the chain")
    for tablet in history.tablets:
        _receipts(findings, tablet, heads.get(tablet.sheet, [""]))
    _checkpoints(history, findings, heads)


def _receipts(findings: Findings, tablet: Tablet, heads: list[str]) -> None:
    for _, seq, digest in tablet.receipts:
        findings.look("I10")
        if seq >= len(heads) or heads[seq] != digest:
            findings.breach("I10", tablet.sheet, seq, "a receipt was shown that the journal does not have")


def _checkpoints(history: History, findings: Findings, heads: dict[str, list[str]]) -> None:
    number_of = {int(row["id"]): sheet for sheet, row in history.sheets.items()}
    previous = bytes(32).hex()
    for place, line in enumerate(history.checkpoints or [], start=1):
        findings.look("I10")
        pairs = sorted((number_of.get(sheet, ""), seq) for sheet, seq in _unpacked(bytes.fromhex(line["heads"])))
        known = [(sheet, seq) for sheet, seq in pairs if seq < len(heads.get(sheet, []))]
        root = tree([leaf(sheet, seq, heads[sheet][seq]) for sheet, seq in known]).hex()
        if line["index"] != place or line["previous"] != previous or len(known) != len(pairs) or root != line["root"]:
            findings.breach("I10", "", line["index"], "a checkpoint is not what the journal and the one before say")
        signed = (
            f"ecni-checkpoint/1\n{history.sitting.get('id')}\n{line['index']}\n{int(line['made_at'])}\n{len(pairs)}\n"
            f"{sum(seq for _, seq in pairs)}\n{line['root']}\n{line['previous']}\n"
        )
        previous = sha256(signed.encode()).hexdigest()


def _unpacked(heads: bytes) -> list[tuple[int, int]]:
    """Return pairs of sheet and number, from little-endian uint32."""
    words = [int.from_bytes(heads[at : at + 4], "little") for at in range(0, len(heads), 4)]
    return list(zip(words[::2], words[1::2], strict=True))


def same_inputs_same_ranking(history: History, findings: Findings) -> None:
    """I11: every ranking of the same frozen copies is the same bytes."""
    rankings = [probe for probe in history.probes if probe["kind"] == "ranking"]
    for ranking in rankings[1:]:
        findings.look("I11")
        if ranking["digest"] != rankings[0]["digest"]:
            findings.breach("I11", "", 0, f"the ranking {ranking['label']} is not the ranking {rankings[0]['label']}")


def no_result_early(history: History, findings: Findings) -> None:
    """I12: nobody who asked for a result before the release was given one."""
    for probe in history.probes:
        if probe["kind"] == "result":
            findings.look("I12")
            if probe["bytes"]:
                findings.breach("I12", "", 0, f"{probe['bytes']} bytes of results before the release")


def no_identity(history: History, findings: Findings) -> None:
    """I13: what was searched for names holds none."""
    for probe in history.probes:
        if probe["kind"] == "identity":
            findings.look("I13")
            if probe["found"]:
                findings.breach("I13", "", 0, f"{probe['found']} identities in {probe['where']}")


def others_undisturbed(history: History, findings: Findings) -> None:
    """I14: while one centre is in trouble, acknowledgements are as quick as before in the centres that are not."""
    delays = _delays(history)
    local = [fault for fault in history.faults if fault.centre is not None]
    troubled = {fault.centre for fault in local}
    during: list[float] = []
    apart: list[float] = []
    for centre, acks in delays.items():
        for instant, took in acks if centre not in troubled else []:
            (during if any(f.start <= instant <= f.end for f in local) else apart).append(took)
    change: float | None = None
    if len(during) >= FEW and len(apart) >= FEW:
        findings.look("I14", len(during))
        before, after = quantile(sorted(apart), 0.99), quantile(sorted(during), 0.99)
        change = round(after / before - 1, 3)
        if after > OTHERS_RATIO * before and after > OTHERS_SECONDS:
            words = f"p99 of the other centres went from {1000 * before:.0f} to {1000 * after:.0f} ms"
            findings.breach("I14", "", 0, words)
    findings.counts["others_p99_change"] = change
    for centre, acks in [("", [ack for each in delays.values() for ack in each]), *delays.items()]:
        ordered = sorted(took for _, took in acks)
        findings.counts[f"p99_ms {centre}".strip()] = round(1000 * quantile(ordered, 0.99), 1) if ordered else None


def _delays(history: History) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for op in history.ops.values():
        if op.acked is not None and op.took is not None:
            found[history.centre_of(op.sheet)].append((op.acked, op.took))
    return dict(found)


def nothing_said_falsely(history: History, findings: Findings) -> None:
    """I15: "Enregistré" was shown only of what is in the journal, and never over an act that waits."""
    false = 0
    for tablet in history.tablets:
        waits = tablet.waits()
        starts = [made for made, _ in waits]
        for instant, seq, digest in tablet.saved:
            findings.look("I15")
            if seq and (tablet.sheet, seq, digest) not in history.stored:
                false += 1
                findings.breach("I15", tablet.sheet, seq, "shown as saved, and not in the journal")
            last = bisect_left(starts, instant) - 1  # outcomes are known in order: the last act done tells
            if last >= 0 and waits[last][1] > instant:
                false += 1
                findings.breach("I15", tablet.sheet, seq, "shown as saved while an act waited")
        if tablet.receipts and history.sheets.get(tablet.sheet, {}).get("state") not in END_STATES:
            findings.breach("I15", tablet.sheet, 0, "shown as handed in or over, and the sheet is not")
    findings.counts["false_saved"] = false


def faults_seen(history: History, findings: Findings) -> None:
    """I16: each fault that a probe looked for was on a board within 30 s."""
    for probe in history.probes:
        if probe["kind"] == "board":
            findings.look("I16")
            if probe["seconds"] is None or probe["seconds"] > 30:  # noqa: PLR2004 -- the invariant's own figure
                findings.breach("I16", "", 0, f"{probe['what']} was not seen in 30 s")


def recovery(history: History, findings: Findings) -> None:
    """How long after faults were lifted the last act that waited was known; a figure, no invariant.

    An act that a later fault caught again counts from the end of that one.
    """
    longest = 0.0
    tablets = {tablet.name: tablet for tablet in history.tablets}
    for op in history.ops.values():
        if op.acked is None:
            continue
        touching = [fault for fault in history.faults if fault.centre in {None, history.centre_of(op.sheet)}]
        lifted = max((fault.end for fault in touching if op.made < fault.end < op.acked), default=None)
        struck = any(fault.start < op.acked < fault.end for fault in touching)
        if lifted is not None and not struck and not tablets[op.tablet].was_offline(op.made, op.acked):
            longest = max(longest, op.acked - lifted)
    findings.counts["recovery_s"] = round(longest, 2) if history.faults else None


CHECKS: tuple[Callable[[History, Findings], None], ...] = (
    kept,
    exactly_once,
    sent_until_known,
    in_time,
    nothing_early,
    nobody_elses,
    granted_time,
    one_tablet,
    refused_leaves_nothing,
    chained,
    same_inputs_same_ranking,
    no_result_early,
    no_identity,
    others_undisturbed,
    nothing_said_falsely,
    faults_seen,
    recovery,
)
