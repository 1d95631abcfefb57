"""An exam sat by a class of unequal candidates, drawn from a seed, and a jury to deliberate on it."""

from datetime import date, timedelta
from random import Random

from ecni.accounts.enums import Role
from exams.enums import QuestionKind, SheetState
from exams.models import FrozenSheet, PaperQuestion, PaperUnit, Question, Sheet
from exams.rules.content import AcceptedAnswers, QuestionContent, to_json
from exams.rules.ops import genesis_digest
from grading.actions.jury import open_session, submit_proposal
from grading.enums import NeutralisationMode, ProposalKind
from grading.rules.decisions import Adopted
from grading.rules.deliberation import VotingRules
from tests.factories.exams import NOW, make_exam, sit, user
from tests.factories.grading import mark_sitting, register

TRUTH = (
    [
        *(("QI", [("QRU", key)]) for key in ("TFFFF", "FTFFF", "FFTFF", "FFFTF", "FFFFT", "FTFFF")),
        *(("QI", [("QRM", key)]) for key in ("TTFFF", "TFTFF", "FFTTF")),
        ("DP", [("QRM", "TTFFF"), ("QRU", "FFFFT"), ("QRM", "TFTFF")]),
    ],
    [("DP", [("QRM", "FTFTF"), ("QRU", "FTFFF")]), ("LCA", [("QRM", "TFFFT"), ("QRU", "TFFFF")])],
)
"""What is right, by sitting and by unit; a paper may say otherwise."""
MISKEYED = 4
"""Number, in the first paper, of the question that `miskeyed` spoils: D is right, its key says A."""


def miskeyed():
    """Return the same papers with one wrong key."""
    first, second = TRUTH
    return [*first[: MISKEYED - 1], ("QI", [("QRU", "TFFFF")]), *first[MISKEYED:]], second


def sat_exam(actor, sittings=TRUTH, candidates=60, seed=7, slug="jury"):
    """Have every sitting sat, closed and marked once: the better a candidate, the nearer to the truth."""
    exam = make_exam(sittings, slug=slug)
    rng = Random(seed)
    numbers = [f"K2-{place:04}" for place in range(1, candidates + 1)]
    register(exam, {number: date(2001, 1, 1) + timedelta(days=rng.randrange(900)) for number in numbers})
    skills = {number: rng.random() for number in numbers}
    for truth, sitting in zip(TRUTH, exam.sittings.order_by("number"), strict=True):
        keys = [question for _, questions in truth for question in questions]
        sit(sitting, {number: [_answer(rng, *key, skills[number]) for key in keys] for number in numbers})
        mark_sitting(sitting, actor)
    return exam


def _answer(rng, kind, key, skill):
    if kind == "QRU":
        return "ABCDE"[key.index("T")] if rng.random() < 0.15 + 0.8 * skill else rng.choice("ABCDE")
    return "".join(letter for letter, status in zip("ABCDE", key, strict=True) if _ticks(rng, status == "T", skill))


def _ticks(rng, is_right, skill):
    return is_right if rng.random() < 0.6 + 0.35 * skill else not is_right


def make_jury():
    """Return a president and three members."""
    return user("presidente", Role.PRESIDENT), [user(f"membre{place}", Role.JURY) for place in (1, 2, 3)]


def sitting_jury(exam, president, members, *, quorum=3, casting_vote=True):
    return open_session(
        exam_id=exam.pk,
        present=[member.pk for member in members],
        rules=VotingRules(quorum, casting_vote),
        actor=president,
        now=NOW,
    )


def paper_of(exam, number=1):
    return exam.sittings.get(number=number).papers.get()


def neutralise(paper, *questions, mode=NeutralisationMode.RESCALE):
    return Adopted(ProposalKind.NEUTRALISE, paper.pk, questions, mode=mode)


def rekey(paper, question, statuses):
    words = {"T": "TRUE", "F": "FALSE", "R": "REQUIRED", "X": "FORBIDDEN"}
    key = {"statuses": [words[letter] for letter in statuses], "expected_count": None}
    return Adopted(ProposalKind.REKEY, paper.pk, (question,), key=key)


def propose(change, actor):
    return submit_proposal(paper_id=change.paper_id, change=change, reason="Deux lectures.", actor=actor, now=NOW)


QROC_KEY = AcceptedAnswers(exact=("Aorte",), acceptable=("Aorte thoracique",))


def open_exam(actor, answers, slug="ouvert"):
    """Have an exam of one QROC and one QRU sat and marked: `answers` gives each number its text, A being ticked."""
    exam = make_exam(([("QI", [("QRU", "TFFFF")])],), slug=slug)
    sitting = exam.sittings.get()
    _add_qroc(sitting.papers.get(), f"{slug}-qroc")
    register(exam, {number: date(2001, 1, 1) for number in answers})
    place = sit(sitting, {})
    for number, text in answers.items():
        sheet = Sheet.objects.create(sitting=sitting, centre_sitting=place, number=number, state=SheetState.SUBMITTED)
        head = genesis_digest(sitting.pk, number)
        FrozenSheet.objects.create(
            sheet=sheet, masks=A_TICKED, texts={"2": text}, last_seq=0, head_digest=head, frozen_at=NOW
        )
    mark_sitting(sitting, actor)
    return exam


A_TICKED = (1).to_bytes(4, "little") + bytes(4)


def _add_qroc(paper, identifier):
    content = to_json(QuestionContent(stem="<p>Quel vaisseau ?</p>", accepted=QROC_KEY))
    question = Question.objects.create(
        identifier=identifier, kind=QuestionKind.QROC, rank="A", content=content, created_at=NOW
    )
    part = paper.units.get().part
    unit = PaperUnit.objects.create(paper=paper, position=2, part=part, question=question)
    PaperQuestion.objects.create(
        paper=paper, number=2, unit=unit, question=question, kind=question.kind, propositions=0, is_progressive=False
    )
