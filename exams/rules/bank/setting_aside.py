"""What the platform cannot mark yet is left out in words, never silently; what remains of a case stays readable."""

from collections.abc import Container
from dataclasses import replace

from exams.enums import CaseKind, QuestionKind
from exams.rules.bank.model import Bank, BankCase, BankQuestion, SetAside


def set_aside(
    bank: Bank, supported: Container[QuestionKind], supported_cases: Container[CaseKind]
) -> tuple[Bank, list[SetAside]]:
    """Split a bank into what can be sat and what is kept aside, with the reason of each absence.

    Inside a case only the unsupported questions leave; what their step revealed is carried, in order, to the front of
    the next kept one, so that the story stays whole.
    """
    left_out = [_unsupported(question) for question in bank.questions if question.kind not in supported]
    cases = []
    for case in bank.cases:
        kept, reasons = _case_kept(case, supported, supported_cases)
        cases.extend(kept)
        left_out.extend(reasons)
    questions = tuple(question for question in bank.questions if question.kind in supported)
    return Bank(questions, tuple(cases)), left_out


def _unsupported(question: BankQuestion) -> SetAside:
    return SetAside(
        question.identifier, f"{question.kind.label} ({question.kind}), que la plateforme ne note pas encore"
    )


def _case_kept(
    case: BankCase, supported: Container[QuestionKind], supported_cases: Container[CaseKind]
) -> tuple[list[BankCase], list[SetAside]]:
    if case.kind not in supported_cases:
        reason = f"{case.kind.label} ({case.kind}), que la plateforme ne présente pas encore"
        return [], [SetAside(case.identifier, reason)]
    questions = _questions_kept(case, supported)
    if not questions:
        return [], [SetAside(case.identifier, "dossier dont la plateforme ne note encore aucune question")]
    reasons = [_unsupported(question) for question in case.questions if question.kind not in supported]
    return [replace(case, questions=questions)], reasons


def _questions_kept(case: BankCase, supported: Container[QuestionKind]) -> tuple[BankQuestion, ...]:
    kept: list[BankQuestion] = []
    carried = ""
    for question in case.questions:
        carried += question.content.new_information
        if question.kind in supported:
            kept.append(replace(question, content=replace(question.content, new_information=carried)))
            carried = ""
    return tuple(kept)
