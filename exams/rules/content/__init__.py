"""What questions and cases are made of, how that is stored, and what makes a key coherent."""

from exams.rules.content.keys import KeyFault, key_errors, key_faults
from exams.rules.content.shapes import (
    AcceptedAnswers,
    CaseContent,
    Circle,
    MediaRef,
    Point,
    Polygon,
    Proposition,
    QuestionContent,
    Script,
    Zone,
    letters,
)
from exams.rules.content.storage import case_from_json, case_to_json, from_json, to_json
from exams.rules.content.tree import html_tree

__all__ = [
    "AcceptedAnswers",
    "CaseContent",
    "Circle",
    "KeyFault",
    "MediaRef",
    "Point",
    "Polygon",
    "Proposition",
    "QuestionContent",
    "Script",
    "Zone",
    "case_from_json",
    "case_to_json",
    "from_json",
    "html_tree",
    "key_errors",
    "key_faults",
    "letters",
    "to_json",
]
