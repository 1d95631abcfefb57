"""What may not be in a journal: each rule reads one sheet, or the checkpoints, and names what is wrong.

Findings are sentences in French, for an expert who was not there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from exams.enums import OpKind, SheetState
from exams.rules.answers import QuestionShape
from exams.rules.checkpoint import HASH_BYTES, NO_PREVIOUS, Statement, head_leaf, is_signed, unpack_heads
from exams.rules.final import FinalAnswers, final_answers
from exams.rules.merkle import merkle_root
from exams.rules.ops import Op, chain_digest, genesis_digest
from exams.rules.progression import op_objection
from exams.rules.replay import Replay
from exams.rules.states import FROZEN_STATES, OUT_STATES

OBJECTIONS = {
    "submitted": "enregistré alors que la copie était déjà remise",
    "unknown-question": "porte sur une question qui n’est pas dans le sujet",
    "locked": "porte sur une question qui n’était pas encore lisible",
    "sealed": "change une question dont la réponse était définitive",
    "bad-value": "porte une valeur qui n’est pas permise pour cette question",
    "not-progressive": "valide une question qui ne se valide pas",
}
"""By code of `op_objection`."""

NEVER_OPENED = frozenset({SheetState.EXPECTED, SheetState.ADMITTED, SheetState.READY, SheetState.ABSENT})
_KINDS = frozenset(kind.value for kind in OpKind)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: stable name of what it is.
        text: the same in French.
        number: number of the sheet, empty when it is about no sheet.
        seq: the op, None when it is about none.
        checkpoint: index of the checkpoint, None when it is about none.
    """

    code: str
    text: str
    number: str = ""
    seq: int | None = None
    checkpoint: int | None = None


@dataclass(frozen=True, slots=True)
class StoredOp:
    """A row of the journal, as it is: nothing is believed of it yet, not even its kind."""

    seq: int
    kind: int
    question: int
    value: str
    made_at: int
    received_at: datetime
    digest: bytes


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """The row that marking reads."""

    answers: FinalAnswers
    last_seq: int
    head_digest: bytes


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the other tables say of a sheet."""

    sheet_id: int
    number: str
    state: SheetState
    is_over: bool
    frozen: FrozenRow | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A row of checkpoints; `heads` and `leaves` are the bytes of the row."""

    statement: Statement
    signature: bytes
    key_id: str
    heads: bytes
    leaves: bytes


@dataclass(slots=True)
class SheetReading:
    """One sheet read from its genesis: its fold, the digest after each op, and what is wrong."""

    facts: SheetFacts
    folded: Replay
    digests: dict[int, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def say(self, code: str, text: str, seq: int | None = None, checkpoint: int | None = None) -> None:
        """Add a finding about this sheet."""
        self.findings.append(Finding(code, text, self.facts.number, seq, checkpoint))


@dataclass(frozen=True, slots=True)
class Attested:
    """What one checkpoint attests of each sheet, in the order of their ids."""

    index: int
    sheet_ids: tuple[int, ...]
    seqs: tuple[int, ...]
    leaves: bytes

    def of(self, sheet_id: int) -> tuple[int, bytes] | None:
        """Return seq and leaf of one sheet, or None when the checkpoint does not know it."""
        at = bisect_left(self.sheet_ids, sheet_id)
        if at == len(self.sheet_ids) or self.sheet_ids[at] != sheet_id:
            return None
        return self.seqs[at], self.leaves[at * HASH_BYTES : (at + 1) * HASH_BYTES]


def read_sheet(
    facts: SheetFacts, sitting_id: int, rows: Iterable[StoredOp], shapes: Mapping[int, QuestionShape]
) -> SheetReading:
    """Read a sheet's journal from its genesis: chain, gaps, hours, and what the sheet admitted at each op."""
    reading = SheetReading(facts, Replay(0, genesis_digest(sitting_id, facts.number)))
    heads: tuple[bytes, ...] = (reading.folded.digest,)
    received_at, has_gap = None, False
    for row in rows:
        expected = reading.folded.seq + 1
        if row.seq != expected:
            has_gap = True
            reading.say("gap", _missing(expected, row.seq - 1), expected)
        elif row.kind not in _KINDS:
            reading.say("kind", f"sa nature ({row.kind}) n’existe pas", row.seq)
            has_gap = True
        if received_at is not None and row.received_at < received_at:
            reading.say("order", "reçu avant l’acte qui le précède", row.seq)
        received_at = row.received_at
        heads = _check_digest(reading, row, heads, is_next=row.seq == expected)
        _fold(reading, row, None if has_gap else shapes)
    return reading


def _check_digest(
    reading: SheetReading, row: StoredOp, heads: tuple[bytes, ...], *, is_next: bool
) -> tuple[bytes, ...]:
    """Compare a row with its digest; return what the next row may chain to, so that one change is said once."""
    reading.digests[row.seq] = row.digest
    if row.kind not in _KINDS:
        return (row.digest,)
    kind = OpKind(row.kind)
    computed = [chain_digest(head, row.seq, kind, row.question, row.value, row.made_at) for head in heads]
    if not is_next or row.digest in computed:
        return (row.digest,)
    reading.say("digest", "son contenu n’est pas celui de son empreinte : l’un des deux a été changé", row.seq)
    return (row.digest, computed[0])


def _fold(reading: SheetReading, row: StoredOp, shapes: Mapping[int, QuestionShape] | None) -> None:
    """Fold a row; `shapes` is None once a missing row makes its reading uncertain."""
    if row.kind not in _KINDS:
        reading.folded.seq, reading.folded.digest = row.seq, row.digest
        return
    op = Op(row.seq, OpKind(row.kind), row.question, row.value, row.made_at, row.digest)
    if shapes is not None:
        code = op_objection(op.kind, op.question, op.value, shapes, reading.folded)
        if code is not None:
            reading.say(code, OBJECTIONS[code], op.seq)
    reading.folded.apply(op)


def check_state(reading: SheetReading) -> None:
    """Hold what the sheet's row says against its journal."""
    folded, state = reading.folded, reading.facts.state
    if state in NEVER_OPENED and folded.seq:
        reading.say("state", f"l’état « {state.label} » ne va pas avec un journal de {folded.seq} actes", folded.seq)
    elif state not in OUT_STATES and folded.submitted != (state is SheetState.SUBMITTED):
        said = "contient" if folded.submitted else "ne contient pas"
        reading.say("state", f"l’état est « {state.label} » mais le journal {said} de remise", folded.seq or None)


def check_frozen(reading: SheetReading, shapes: Mapping[int, QuestionShape]) -> None:
    """Hold the frozen row against the fold, which it must be."""
    facts, folded = reading.facts, reading.folded
    is_due = facts.is_over and facts.state in FROZEN_STATES
    if facts.frozen is None:
        if is_due:
            reading.say("frozen-missing", "l’épreuve est close et la copie n’est pas figée")
        return
    if not is_due:
        reading.say("frozen-early", f"la copie est figée alors que son état est « {facts.state.label} »")
    wrong = list(_frozen_differences(facts.frozen, folded, shapes))
    if wrong:
        reading.say(
            "frozen", f"la copie figée n’est pas ce que dit le journal : {', '.join(wrong)}", folded.seq or None
        )


def _frozen_differences(frozen: FrozenRow, folded: Replay, shapes: Mapping[int, QuestionShape]) -> Iterator[str]:
    try:
        answers = final_answers(folded, shapes)
    except ValueError:  # a value that is no letters, said above
        return
    pairs = {number: slice((number - 1) * 4, number * 4) for number in shapes}
    changed = [
        str(number)
        for number, place in pairs.items()
        if frozen.answers.masks[place] != answers.masks[place]
        or frozen.answers.texts.get(str(number)) != answers.texts.get(str(number))
    ]
    if changed:
        yield f"question {', '.join(changed)}"
    elif frozen.answers != answers:
        yield "forme des réponses"
    if frozen.last_seq != folded.seq:
        yield f"{frozen.last_seq} actes au lieu de {folded.seq}"
    if frozen.head_digest != folded.digest:
        yield "empreinte"


def check_attested(reading: SheetReading, attested: Sequence[Attested]) -> None:
    """Hold every checkpoint against the journal: each must have seen a prefix of it. The first fault alone is said."""
    facts, reached = reading.facts, 0
    for checkpoint in attested:
        seen = checkpoint.of(facts.sheet_id)
        if seen is None and not reached:
            continue
        seq, leaf = seen or (0, b"")
        index = checkpoint.index
        if seq < reached:
            reading.say("backwards", f"le point de contrôle {index} en compte moins que le précédent", seq, index)
            return
        if seq not in reading.digests:
            text = f"le point de contrôle {index} atteste {seq} actes ; {_missing(reading.folded.seq + 1, seq)}"
            is_tail = seq > reading.folded.seq
            reading.say(
                "truncated", text if is_tail else f"attesté par le point de contrôle {index}, absent", seq, index
            )
            return
        if leaf != head_leaf(facts.number, seq, reading.digests[seq]):
            text = (
                f"le point de contrôle {index} atteste une autre histoire de cette copie : elle a été réécrite depuis"
            )
            reading.say("rewritten", text, seq, index)
            return
        reached = seq


def attest(checkpoint: StoredCheckpoint) -> Attested | None:
    """Return what a checkpoint attests, or None when its bytes have not the shape of heads and leaves."""
    heads = unpack_heads(checkpoint.heads)
    if heads is None or len(checkpoint.leaves) != len(heads) * HASH_BYTES:
        return None
    sheet_ids = tuple(sheet_id for sheet_id, _ in heads)
    if any(before >= after for before, after in pairwise(sheet_ids)):
        return None
    return Attested(checkpoint.statement.index, sheet_ids, tuple(seq for _, seq in heads), checkpoint.leaves)


def check_checkpoints(
    checkpoints: Sequence[StoredCheckpoint], keys: Mapping[str, bytes], numbers: Mapping[int, str]
) -> Iterator[Finding]:
    """Check signatures, chain, order and roots of a sitting's checkpoints; `numbers` are its sheets' by id."""
    before: Statement | None = None
    for checkpoint in checkpoints:
        statement = checkpoint.statement
        for code, text in (
            *_signature_faults(checkpoint, keys),
            *_chain_faults(statement, before),
            *_root_faults(checkpoint, numbers),
        ):
            yield Finding(code, text, checkpoint=statement.index)
        before = statement


def _signature_faults(checkpoint: StoredCheckpoint, keys: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    public = keys.get(checkpoint.key_id)
    if public is None:
        yield "foreign-key", f"signé par une clé qui n’est pas la nôtre ({checkpoint.key_id})"
    elif not is_signed(checkpoint.statement.text, checkpoint.signature, public):
        yield "signature", "sa signature n’est pas celle de ce qu’il dit"


def _chain_faults(statement: Statement, before: Statement | None) -> Iterator[tuple[str, str]]:
    if statement.index != (before.index + 1 if before else 1):
        yield "checkpoint-gap", "le point de contrôle qui précède manque, ou il est en double"
    elif statement.previous != (before.digest if before else NO_PREVIOUS):
        yield (
            "checkpoint-chain",
            "il ne suit pas le point de contrôle enregistré avant lui : l’un des deux a été changé",
        )
    if before and statement.made_at_ms <= before.made_at_ms:
        yield "checkpoint-order", "il est daté d’avant celui qui le précède"


def _root_faults(checkpoint: StoredCheckpoint, numbers: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    attested = attest(checkpoint)
    if attested is None:
        yield "checkpoint-shape", "ses têtes ou ses feuilles n’ont pas la forme prévue"
        return
    lost = [sheet_id for sheet_id in attested.sheet_ids if sheet_id not in numbers]
    if lost:
        yield "sheet-missing", f"il atteste {len(lost)} copie(s) qui n’existent plus"
        return
    places = sorted(range(len(attested.sheet_ids)), key=lambda at: numbers[attested.sheet_ids[at]])
    leaves = (attested.leaves[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in places)
    if merkle_root(leaves) != checkpoint.statement.root:
        yield "root", "ses feuilles ne donnent pas la racine qu’il signe"


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """A signed text that somebody kept outside, and the name of the file that it comes from."""

    source: str
    text: bytes
    signature: bytes


def check_witness(
    lines: Iterable[WitnessLine], checkpoints: Sequence[StoredCheckpoint], keys: Mapping[str, bytes], sitting_id: int
) -> Iterator[Finding]:
    """Hold what witnesses kept against what is stored: a signed text that is not stored is a fork, or a deletion."""
    stored = {checkpoint.statement.index: checkpoint.statement for checkpoint in checkpoints}
    for line in lines:
        statement = Statement.read(line.text)
        if statement is None:
            yield Finding("witness", f"le témoin {line.source} contient un texte qui n’est pas un point de contrôle")
            continue
        if statement.sitting_id != sitting_id:
            continue
        index = statement.index
        if not any(is_signed(line.text, line.signature, public) for public in keys.values()):
            text = f"le témoin {line.source} n’est pas signé par une de nos clés : il ne prouve rien"
            yield Finding("witness-signature", text, checkpoint=index)
        elif index not in stored:
            yield Finding(
                "witness-missing", f"le témoin {line.source} le porte, signé ; il a été supprimé", checkpoint=index
            )
        elif stored[index] != statement:
            text = f"bifurcation : le témoin {line.source} en porte un autre, signé lui aussi"
            yield Finding("fork", text, checkpoint=index)


def _missing(first: int, last: int) -> str:
    if last < first:
        return "l’ordre des actes est rompu"
    return f"l’acte {first} manque" if first == last else f"les actes {first} à {last} manquent"
