"""A paper being written: its questions in the order they will be asked, and what stands in the way of its sealing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from exams.enums import CaseKind, QuestionKind
from exams.models import Media, Paper, PaperUnit, Question
from exams.queries.bank import latest_cases, latest_questions
from exams.queries.fragments import Place, case_images, question_images
from exams.rules.bank import image_size
from exams.rules.content import CaseContent, QuestionContent, case_from_json, from_json, key_errors

PROGRESSIVE_CASES = frozenset({CaseKind.DP, CaseKind.MINI_DP, CaseKind.KFP})
"""Cases answered in order, each answer final once sealed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered question of a paper, with all that its sealing needs."""

    unit: PaperUnit
    question: Question
    content: QuestionContent
    case: CaseContent | None
    place: Place

    @property
    def is_progressive(self) -> bool:
        """Whether its answer must be final before the next question opens."""
        return self.place.case_kind in PROGRESSIVE_CASES

    @property
    def previous(self) -> int:
        """Number of the question to seal first; 0 when readable from the start."""
        return self.place.number - 1 if self.is_progressive and self.place.position > 1 else 0

    @property
    def images(self) -> set[str]:
        """Names of the images that travel with it; those of the case travel with its first question."""
        opening = case_images(self.case) if self.case and self.place.position == 1 else set()
        return question_images(self.content) | opening


def paper_units(paper_id: int) -> list[PaperUnit]:
    """Return the units of a paper in order, with their questions."""
    in_order = Prefetch("case__questions", queryset=Question.objects.order_by("position"))
    units = PaperUnit.objects.filter(paper_id=paper_id).select_related("part", "question", "case")
    return list(units.prefetch_related(in_order).order_by("position"))


def paper_steps(units: Sequence[PaperUnit]) -> list[Step]:
    """Return the questions of these units, numbered from 1 in their order."""
    steps: list[Step] = []
    cases: Counter[str] = Counter()
    for unit in units:
        family = _family(unit)
        cases[family] += 1
        steps.extend(_unit_steps(unit, first=len(steps) + 1, case_number=cases[family]))
    return steps


def paper_faults(
    paper: Paper, units: Sequence[PaperUnit], steps: Sequence[Step], media: Mapping[str, Media]
) -> list[str]:
    """Return every reason not to seal the paper, in French, each with its place; empty when it can be sealed."""
    return [*_unit_faults(paper, units), *_repeated(steps), *chain.from_iterable(_step_faults(s, media) for s in steps)]


def pointed_size(step: Step, media: Mapping[str, Media]) -> tuple[int, int] | None:
    """Return the size of the image that a ZAP points on; None for every other kind, or when it cannot be read."""
    if step.question.kind != QuestionKind.ZAP:
        return None
    (image,) = step.content.media
    return image_size(image.file, bytes(media[image.file].content))


def newer_versions(units: Sequence[PaperUnit]) -> list[str]:
    """Say which units hold a version that has since been replaced; nothing forbids to seal them."""
    questions = {unit.question.identifier for unit in units if unit.question}
    cases = {unit.case.identifier for unit in units if unit.case}
    newest = {q.identifier: q.version for q in latest_questions().filter(identifier__in=questions).defer("content")}
    newest |= {c.identifier: c.version for c in latest_cases().filter(identifier__in=cases).defer("content")}
    return [
        _("Unité %(position)s (%(held)s)\u00a0: la version %(newest)s existe.")
        % {"position": unit.position, "held": held, "newest": newest[held.identifier]}
        for unit in units
        if (held := unit.question or unit.case) and held.version < newest[held.identifier]
    ]


def _family(unit: PaperUnit) -> str:
    """What cases are numbered among: progressive ones together, the others by kind."""
    if unit.case is None:
        return ""
    return "progressive" if unit.case.kind in PROGRESSIVE_CASES else unit.case.kind


def _unit_questions(unit: PaperUnit) -> list[Question]:
    if unit.case is not None:
        return list(unit.case.questions.all())
    return [unit.question] if unit.question else []


def _unit_steps(unit: PaperUnit, *, first: int, case_number: int) -> Iterator[Step]:
    questions = _unit_questions(unit)
    case = case_from_json(unit.case.content) if unit.case else None
    for index, question in enumerate(questions):
        place = Place(
            number=first + index,
            position=index + 1,
            unit_size=len(questions),
            case_number=case_number if unit.case else 0,
            case_kind=CaseKind(unit.case.kind) if unit.case else None,
        )
        yield Step(unit=unit, question=question, content=from_json(question.content), case=case, place=place)


def _unit_faults(paper: Paper, units: Sequence[PaperUnit]) -> Iterator[str]:
    for unit in units:
        place = _("Unité %(position)s (%(held)s)") % {"position": unit.position, "held": unit.question or unit.case}
        if unit.part.exam_id != paper.sitting.exam_id:
            yield _("%(place)s : la partie choisie est celle d’un autre examen.") % {"place": place}
        if not _unit_questions(unit):
            yield _("%(place)s : ce dossier n’a aucune question.") % {"place": place}


def _repeated(steps: Sequence[Step]) -> Iterator[str]:
    first: dict[str, int] = {}
    for step in steps:
        identifier, number = step.question.identifier, step.place.number
        if identifier in first:
            yield _("%(place)s : déjà posée, sous le numéro %(first)s.") % {
                "place": _place(step),
                "first": first[identifier],
            }
        first.setdefault(identifier, number)


def _step_faults(step: Step, media: Mapping[str, Media]) -> Iterator[str]:
    reasons = key_errors(QuestionKind(step.question.kind), step.content)
    reasons += [_("l’image %(name)s manque") % {"name": name} for name in sorted(step.images - media.keys())]
    if step.question.kind == QuestionKind.ZAP and not reasons and pointed_size(step, media) is None:
        reasons.append(_("la taille de l’image à pointer est illisible"))
    yield from (f"{_place(step)} : {reason}." for reason in reasons)


def _place(step: Step) -> str:
    return _("Question %(number)s (%(question)s)") % {"number": step.place.number, "question": step.question}
