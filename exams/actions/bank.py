"""Writing the bank. A version used in a sealed paper is never changed: changing it makes a new one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.models import Case, Media, Question
from exams.queries.bank import is_sealed_case, is_sealed_question
from exams.queries.bankplan import (
    ImportReport,
    Outcome,
    PlannedCase,
    PlannedMedia,
    clean_case,
    clean_question,
    plan_import,
    stored_question,
)
from exams.rules.bank import Bank, BankQuestion
from exams.rules.content import CaseContent, case_from_json, case_to_json, key_errors, to_json
from exams.rules.states import Refused

CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


class IdentifierTaken(Refused):
    """Another question or case has this identifier."""

    code = "identifier-taken"


class KeyIncoherent(Refused):
    """The question could not be marked with such a key; the text says every reason."""

    code = "key-incoherent"


def lock_bank() -> None:
    """Keep every other writer of the bank, and every sealing, out until the end of the transaction.

    Without it a question could change in place while a paper that holds it is being sealed.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE exams_question IN SHARE ROW EXCLUSIVE MODE")


@transaction.atomic
def import_bank(*, bank: Bank, media: Mapping[str, bytes], actor: User, now: datetime) -> ImportReport:
    """Take a bank; what has not changed is left alone.

    Raises:
        BankErrors: an image cannot be shown safely; nothing is taken.
    """
    lock_bank()
    report = plan_import(bank, media)
    for image in report.media:
        _write_media(image)
    for planned in report.questions:
        if planned.outcome is not Outcome.SAME:
            _create_question(planned.question, planned.version, now)
    for case in report.cases:
        if case.outcome is not Outcome.SAME:
            _create_case(case, now)
    log_deed(actor=actor, verb="import_bank", target="bank", now=now, data=report.figures)
    return report


@transaction.atomic
def save_question(*, question: BankQuestion, question_id: int | None, actor: User, now: datetime) -> Question:
    """Create a question, or change one: in place when no sealed paper uses it, else as a new version.

    The new version of a question in a case comes with a new version of the whole case.

    `question_id` is the version to change; None creates.

    Raises:
        KeyIncoherent: it could not be marked.
        IdentifierTaken: it is new and its identifier is not.
    """
    lock_bank()
    cleaned = replace(question, content=clean_question(question.content))
    if errors := key_errors(cleaned.kind, cleaned.content):
        raise KeyIncoherent("\n".join(errors))
    if question_id is None:
        saved = _create_new_question(cleaned, now)
    else:
        saved = _change_question(Question.objects.get(pk=question_id), cleaned, now)
    log_deed(actor=actor, verb="save_question", target=f"question:{saved.pk}", now=now, data={"version": saved.version})
    return saved


@transaction.atomic
def save_case(*, case_id: int, content: CaseContent, actor: User, now: datetime) -> Case:
    """Change the texts of a case: in place when no sealed paper uses it, else as a new version with its questions."""
    lock_bank()
    case = Case.objects.get(pk=case_id)
    cleaned = clean_case(content)
    if is_sealed_case(case.pk):
        case = _renew_case(case, cleaned, {}, now)
    else:
        case.content = case_to_json(cleaned)
        case.save(update_fields=["content"])
    log_deed(actor=actor, verb="save_case", target=f"case:{case.pk}", now=now, data={"version": case.version})
    return case


def _write_media(image: PlannedMedia) -> None:
    if image.outcome is not Outcome.SAME:
        Media.objects.update_or_create(
            name=image.name,
            defaults={
                "content": image.data,
                "size": len(image.data),
                "content_type": CONTENT_TYPES[image.name.rpartition(".")[2]],
            },
        )


def _create_question(
    question: BankQuestion, version: int, now: datetime, case: Case | None = None, position: int | None = None
) -> Question:
    return Question.objects.create(
        identifier=question.identifier,
        version=version,
        kind=question.kind,
        rank=question.rank,
        item=question.item,
        specialty=question.specialty,
        case=case,
        position=position,
        content=to_json(question.content),
        created_at=now,
    )


def _create_case(planned: PlannedCase, now: datetime) -> Case:
    case = Case.objects.create(
        identifier=planned.case.identifier,
        version=planned.version,
        kind=planned.case.kind,
        content=case_to_json(planned.case.content),
        created_at=now,
    )
    for position, step in enumerate(planned.questions, start=1):
        _create_question(step.question, step.version, now, case, position)
    return case


def _create_new_question(question: BankQuestion, now: datetime) -> Question:
    if Question.objects.filter(identifier=question.identifier).exists():
        raise IdentifierTaken(_("L’identifiant %(identifier)s est déjà pris.") % {"identifier": question.identifier})
    return _create_question(question, 1, now)


def _change_question(stored: Question, question: BankQuestion, now: datetime) -> Question:
    if stored_question(stored) == question:
        return stored
    if is_sealed_question(stored):
        if stored.case is None:
            return _create_question(question, _next_version(stored.identifier), now)
        case = _renew_case(stored.case, case_from_json(stored.case.content), {stored.pk: question}, now)
        return case.questions.get(position=stored.position)
    stored.kind, stored.rank = question.kind, question.rank
    stored.item, stored.specialty = question.item, question.specialty
    stored.content = to_json(question.content)
    stored.save(update_fields=["kind", "rank", "item", "specialty", "content"])
    return stored


def _renew_case(case: Case, content: CaseContent, changed: Mapping[int, BankQuestion], now: datetime) -> Case:
    """Copy a case and its questions as a new version, with what has changed."""
    newest = Case.objects.filter(identifier=case.identifier).order_by("-version").only("version")[0]
    copy = Case.objects.create(
        identifier=case.identifier,
        version=newest.version + 1,
        kind=case.kind,
        content=case_to_json(content),
        created_at=now,
    )
    for question in case.questions.order_by("position"):
        renewed = changed.get(question.pk) or stored_question(question)
        _create_question(renewed, _next_version(question.identifier), now, copy, question.position)
    return copy


def _next_version(identifier: str) -> int:
    newest = Question.objects.filter(identifier=identifier).order_by("-version").only("version")[0]
    return newest.version + 1
