"""A decision of the jury said in French: what it does, to which questions."""

from collections.abc import Iterator, Mapping, Sequence

from exams.enums import PropositionStatus
from grading.enums import NeutralisationMode, ProposalKind, SpellingCategory
from grading.rules.decisions import Adopted, KeyData
from grading.rules.keys import LETTERS

_STATUSES: Mapping[PropositionStatus, str] = {
    PropositionStatus.TRUE: "vraie",
    PropositionStatus.FALSE: "fausse",
    PropositionStatus.REQUIRED: "indispensable",
    PropositionStatus.FORBIDDEN: "inacceptable",
}
_MODES: Mapping[NeutralisationMode, str] = {
    NeutralisationMode.RESCALE: "points répartis sur les autres",
    NeutralisationMode.FULL: "points accordés à tous",
}
_LISTS = {"exact": "exactes", "acceptable": "acceptables", "refused": "fausses"}


def questions_text(questions: Sequence[int]) -> str:
    """Return which questions, as `question 3` or `dossier des questions 4 à 8`."""
    if len(questions) == 1:
        return f"question {questions[0]}"
    return f"dossier des questions {questions[0]} à {questions[-1]}"


def sentence(decision: Adopted, before: KeyData | None = None) -> str:
    """Return what a decision does; `before` is the key that a new one takes the place of."""
    what = questions_text(decision.questions)
    match decision.kind:
        case ProposalKind.NEUTRALISE:
            return f"Neutraliser : {what}, {_MODES[decision.mode or NeutralisationMode.RESCALE]}."
        case ProposalKind.REKEY:
            changes = ", ".join(_changes(decision.key or {}, before or {}))
            return f"Changer la clé : {what}, {changes or 'sans différence'}."
        case ProposalKind.RESTORE:
            return f"Rétablir le sujet : {what}, avec la clé d’origine."
        case None:
            text, category = decision.spelling or ("", SpellingCategory.WRONG)
            return f"Réponse « {text} » : {category.label.lower()}, {what}."


def _changes(after: KeyData, before: KeyData) -> Iterator[str]:
    old = before.get("statuses", [])
    for letter, status, was in zip(LETTERS, after.get("statuses", []), old, strict=False):
        if status != was:
            yield f"{letter} {_STATUSES[PropositionStatus(was)]} devient {_STATUSES[PropositionStatus(status)]}"
    if after.get("expected_count") != before.get("expected_count"):
        yield f"{after.get('expected_count')} réponses attendues au lieu de {before.get('expected_count')}"
    if "votes" in after and after["votes"] != before.get("votes"):
        yield f"votes du panel {' '.join(map(str, after['votes']))} (de −2 à +2)"
    if "zones" in after and after["zones"] != before.get("zones"):
        yield f"zones {' / '.join(after['zones'])}"
    for name, label in _LISTS.items():
        if name in after and after[name] != before.get(name):
            yield f"réponses {label} : {', '.join(after[name]) or 'aucune'}"
