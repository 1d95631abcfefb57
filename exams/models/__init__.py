"""What is sat and the sitting of it. Sheets, never people: nothing here knows a candidate or a centre."""

from exams.models.admission import GuardConfirmation, GuardProposal, LimitChange
from exams.models.bank import Case, Media, Question
from exams.models.checkpoint import Checkpoint
from exams.models.exam import Exam, ExamPart, Sitting
from exams.models.journal import JournalEntry
from exams.models.paper import Paper, PaperKey, PaperQuestion, PaperUnit
from exams.models.sheet import CentreSitting, FrozenSheet, Pause, RefusedOp, Sheet, TimeGrant

__all__ = [
    "Case",
    "CentreSitting",
    "Checkpoint",
    "Exam",
    "ExamPart",
    "FrozenSheet",
    "GuardConfirmation",
    "GuardProposal",
    "JournalEntry",
    "LimitChange",
    "Media",
    "Paper",
    "PaperKey",
    "PaperQuestion",
    "PaperUnit",
    "Pause",
    "Question",
    "RefusedOp",
    "Sheet",
    "Sitting",
    "TimeGrant",
]
