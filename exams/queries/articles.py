"""The articles of a sitting in clear, for a centre that must print them: nothing before its own opening."""

from dataclasses import dataclass

from exams.enums import CaseKind, CentreSittingState, PaperState
from exams.models import CentreSitting, Paper
from exams.queries.bank import media_named
from exams.queries.drafts import paper_units
from exams.queries.fragments import case_images
from exams.queries.papers import main_paper
from exams.rules.content import case_from_json
from exams.rules.states import WrongState

_OPENED = frozenset({CentreSittingState.OPEN, CentreSittingState.PAUSED})


@dataclass(frozen=True, slots=True)
class PrintedArticle:
    """One article of a critical reading, in the order of the paper.

    Attributes:
        vignette, article: HTML of the bank.
        media: bytes of its images, by name.
    """

    vignette: str
    article: str
    media: dict[str, bytes]


def has_articles(sitting_id: int) -> bool:
    """Whether a critical reading is in the paper that a sitting uses."""
    papers = Paper.objects.filter(sitting_id=sitting_id, is_reserve=False, state=PaperState.SEALED)
    return papers.filter(units__case__kind=CaseKind.LCA).exists()


def opened_articles(centre_sitting_id: int) -> list[PrintedArticle]:
    """Return the articles that the candidates of a centre are reading now.

    Raises:
        WrongState: the sitting is not open there: the paper is sealed, or the sitting is over.
    """
    centre_sitting = CentreSitting.objects.get(pk=centre_sitting_id)
    if centre_sitting.state not in _OPENED:
        raise WrongState("L’épreuve n’est pas ouverte dans ce centre : le sujet est scellé.")
    units = paper_units(main_paper(centre_sitting.sitting_id).pk)
    cases = [case_from_json(unit.case.content) for unit in units if unit.case and unit.case.kind == CaseKind.LCA]
    images = media_named({name for case in cases for name in case_images(case)})
    return [
        PrintedArticle(
            case.vignette, case.article, {name: bytes(images[name].content) for name in sorted(case_images(case))}
        )
        for case in cases
    ]
