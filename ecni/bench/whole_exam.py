"""Marking twice, ranking and analysing a national exam of every kind, from frozen rows and from the journal.

Rows are in memory, in the form in which PostgreSQL gives them: what is measured is our work, not the disk's, which
`stored_exam` adds.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecni.bench.measures import PROCESSOR_SECONDS, Measure, Timed, measured, timed
from ecni.bench.stand import Stand
from exams.actions.freezing import frozen_row
from exams.enums import OpKind, PropositionStatus, QuestionKind
from exams.rules.answers import QuestionShape, letters_of
from exams.rules.content import Circle, Point
from exams.rules.final import FinalForm
from exams.rules.replay import Act, Replay
from grading.queries import FrozenAnswers, responses_of
from grading.rules.agreement import differences
from grading.rules.analysis import Analysis, analyse
from grading.rules.columns import Numerators
from grading.rules.engine import Plan, Responses, mark_responses, plan_run, totals
from grading.rules.keys import ChoiceKey, Key, QrocKey, TcsKey, ZapKey
from grading.rules.units import Structure, Unit, structure_of
from ranking.rules import Ranked, Row, digest, rank

SEED = 20260615
BLOCK = 500
"""Candidates whose journal is in memory at once."""
CASE, ARTICLE = 15, 30
"""Questions of a case and of an article."""
NOW = datetime(2026, 6, 15, 16, 0, tzinfo=UTC)
QRU, QRM, QRP, QRPL = QuestionKind.QRU, QuestionKind.QRM, QuestionKind.QRP, QuestionKind.QRPL
MIX = (*[QRM] * 11, *[QRU] * 3, *[QRP] * 2, QRPL, QuestionKind.QROC, QuestionKind.TCS, QuestionKind.ZAP)
"""Twenty questions in a row, by kind."""
TEXTS = {
    QuestionKind.QROC: ("", "Aorte", "l’aorte", "aorte thoracique", "foie", "veine cave"),
    QuestionKind.TCS: ("", "-2", "-1", "0", "1", "2"),
    QuestionKind.ZAP: ("", "50,50", "20,20", "57.5,50", "80,80", "12.5,30"),
}


def marking(stand: Stand) -> list[Measure]:
    """Return the measures of an exam of the stand's size."""
    size = stand.size
    structure, keys = exam_of(size.questions)
    plan = plan_run(structure, keys)
    masks, texts = drawn(size.candidates, plan)
    sheets = list(frozen(masks, texts))
    raw = b"".join(sheet.masks for sheet in sheets)
    named = "same bytes, one numpy pass"

    def one_pass() -> int:
        return int(np.frombuffer(raw, "<u4").sum(dtype=np.int64))

    def mark_rows() -> tuple[Responses, dict[int, Numerators]]:
        responses = responses_of(sheets, plan)
        return responses, mark_responses(plan, responses)

    first, (responses, marks) = measured("mark from frozen rows", mark_rows, named, one_pass)
    second, found = measured(
        "second scorer, every mark compared", lambda: list(differences(plan, responses, marks)), named, one_pass
    )
    if found:
        raise RuntimeError("the two scorers differ")
    numbers = [sheet.number for sheet in sheets]
    ordering, _ = measured(
        "add up and rank",
        lambda: ranked(plan, marks, numbers),
        "sort of the totals",
        lambda: sorted(totals(plan, marks).total.tolist()),
    )
    describing, _ = measured("item analysis", lambda: analysed(plan, responses, marks), named, one_pass)
    return [first, second, ordering, describing, journal(plan, masks, texts, responses)]


def exam_of(questions: int) -> tuple[Structure, dict[int, tuple[QuestionKind, Key]]]:
    """Return an ECNi of that many questions, every kind in turn: 60 % in cases, 13 % in articles, the rest isolated."""
    numbers = range(1, questions + 1)
    in_cases, in_articles = questions * 3 // 5 // CASE * CASE, questions // 7 // ARTICLE * ARTICLE
    cases = [(*numbers[at : at + CASE],) for at in range(0, in_cases, CASE)]
    articles = [(*numbers[at : at + ARTICLE],) for at in range(in_cases, in_cases + in_articles, ARTICLE)]
    shares: dict[str, list[tuple[int, ...]]] = {
        "DP": cases,
        "LCA": articles,
        "QI": [(number,) for number in numbers[in_cases + in_articles :]],
    }
    units = {code: [Unit(f"{code}-{q[0]}", q) for q in shares[code]] for code in shares if shares[code]}
    kinds = {number: MIX[number % len(MIX)] for number in numbers}
    return structure_of("ECNI", units), {number: (kind, key_for(kind)) for number, kind in kinds.items()}


def key_for(kind: QuestionKind) -> Key:
    """Return a key of that kind."""
    match kind:
        case QuestionKind.QROC:
            return QrocKey(frozenset({"Aorte"}), frozenset({"aorte thoracique"}), frozenset({"foie"}))
        case QuestionKind.TCS:
            return TcsKey((0, 10, 6, 4, 0))
        case QuestionKind.ZAP:
            circles = (
                Circle(Point(Decimal(50), Decimal(50)), Decimal(10)),
                Circle(Point(Decimal(20), Decimal(20)), Decimal(5)),
            )
            return ZapKey(circles, 1, (200, 100))
    right, size = (1, 5) if kind is QRU else (4, 20) if kind is QRPL else (2, 5)
    statuses = [PropositionStatus.TRUE] * right + [PropositionStatus.FALSE] * (size - right)
    return ChoiceKey(tuple(statuses), right if kind in {QRP, QRPL} else None)


def drawn(candidates: int, plan: Plan) -> tuple[NDArray[np.uint32], dict[int, list[str]]]:
    """Draw the answers: masks by candidate and question, and the texts of the open questions."""
    rng = np.random.default_rng(SEED)
    masks = np.zeros((candidates, len(plan.columns)), dtype=np.uint32)
    texts: dict[int, list[str]] = {}
    for number, column in plan.columns.items():
        if isinstance(column.key, ChoiceKey):
            size, able = len(column.key.statuses), rng.random(candidates) < rng.uniform(0.3, 0.8)
            wild = rng.integers(0, 1 << size, candidates, dtype=np.uint32)
            one = np.uint32(1) << rng.integers(0, size, candidates, dtype=np.uint32)
            masks[:, number - 1] = np.where(able, column.key.right, one if column.kind is QRU else wild)
        else:
            texts[number] = rng.choice(TEXTS[column.kind], candidates).tolist()
    return masks, texts


def frozen(masks: NDArray[np.uint32], texts: dict[int, list[str]]) -> Iterator[FrozenAnswers]:
    """Yield the frozen rows of these answers."""
    for at, row in enumerate(masks.astype("<u4")):
        said = {str(number): values[at] for number, values in texts.items() if values[at]}
        yield FrozenAnswers(at + 1, f"N{at:05}", row.tobytes(), said)


def ranked(plan: Plan, marks: dict[int, Numerators], numbers: Sequence[str]) -> bytes:
    """Add up, rank with every tie key, and digest."""
    added = totals(plan, marks)
    parts = {code: values.tolist() for code, values in added.parts.items()}
    cases = np.column_stack([added.units[unit.code] for unit in plan.structure.units if len(unit.questions) > 1])
    rows = [
        Row(
            number,
            total,
            {code: values[at] for code, values in parts.items()},
            tuple(case),
            date(2001, 1, 1) + timedelta(at % 900),
        )
        for at, (number, total, case) in enumerate(zip(numbers, added.total.tolist(), cases.tolist(), strict=True))
    ]
    places: Sequence[Ranked] = rank(rows)
    return digest(places, plan.denominator)


def analysed(plan: Plan, responses: Responses, marks: dict[int, Numerators]) -> Analysis:
    """Describe every question and sort the suspects."""
    analysis = analyse(plan, responses, marks)
    if len(analysis.suspects) != len(plan.columns):
        raise RuntimeError("a question is missing")
    return analysis


def journal(plan: Plan, masks: NDArray[np.uint32], texts: dict[int, list[str]], responses: Responses) -> Measure:
    """Fold every sheet's acts, freeze and mark; some candidates at a time, since the rows of all would not fit."""
    shapes = {
        number: QuestionShape(column.kind, 26 if column.is_choice else 0, None, is_progressive=False, previous=0)
        for number, column in plan.columns.items()
    }
    form = FinalForm(shapes)
    parts: list[tuple[Timed, Timed]] = []
    answers: list[FrozenAnswers] = []
    for start in range(0, len(masks), BLOCK):
        said = [list(acts(at, masks[at], texts)) for at in range(start, min(start + BLOCK, len(masks)))]
        least, _ = timed(partial(walked, said))
        part, found = timed(partial(folded, said, start, form))
        parts.append((least, part))
        answers += found
    last, marks = timed(lambda: mark_responses(plan, responses_of(answers, plan)))
    if any((marks[number] != column).any() for number, column in mark_responses(plan, responses).items()):
        raise RuntimeError("the journal and the frozen rows give different marks")
    work = [part for _, part in parts] + [last]
    return Measure(
        name="fold acts in memory, freeze, mark",
        value=sum(part.processor for part in work),
        unit=PROCESSOR_SECONDS,
        floor="same acts, one empty Python loop",
        floor_value=sum(least.processor for least, _ in parts),
        details={"seconds": sum(part.seconds for part in work), "peak MiB": max(part.peak_mib for part in work)},
    )


def acts(at: int, masks: NDArray[np.uint32], texts: dict[int, list[str]]) -> Iterator[Act]:
    """Yield one answer of a candidate per question."""
    for number, mask in enumerate(masks.tolist(), start=1):
        yield OpKind.ANSWER, number, texts[number][at] if number in texts else letters_of(mask)


def walked(sheets: Sequence[Sequence[Act]]) -> int:
    """Touch every act, and do nothing with it."""
    return sum(1 for said in sheets for _ in said)


def folded(sheets: Sequence[Sequence[Act]], start: int, form: FinalForm) -> list[FrozenAnswers]:
    """Fold each sheet as freezing does, and return its frozen answers; the first one is that of candidate `start`."""
    found = []
    for at, said in enumerate(sheets, start=start):
        state = Replay(len(said), b"")
        state.fold(said)
        row = frozen_row(at + 1, state, form, NOW)
        found.append(FrozenAnswers(at + 1, f"N{at:05}", bytes(row.masks), row.texts))
    return found
