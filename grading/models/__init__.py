"""Marking runs with their marks, and what the jury proposed, voted, decided and signed."""

from grading.models.jury import (
    Ballot,
    Decision,
    JurySession,
    Minutes,
    Presence,
    Proposal,
    Remark,
    SpellingOpinion,
)
from grading.models.runs import ACTIVE, MarkingChunk, MarkingRun, SheetMark

__all__ = [
    "ACTIVE",
    "Ballot",
    "Decision",
    "JurySession",
    "MarkingChunk",
    "MarkingRun",
    "Minutes",
    "Presence",
    "Proposal",
    "Remark",
    "SheetMark",
    "SpellingOpinion",
]
