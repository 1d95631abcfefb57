"""Two people put short open answers in a list, once for all copies."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.models import Paper
from exams.rules.states import Already, Refused
from grading.enums import SpellingCategory
from grading.models import SpellingOpinion
from grading.queries.decisions import opinion_of
from grading.queries.spellings import OpenQuestion, groups_of, listed_key, open_questions
from grading.rules.spellings import standing
from grading.rules.texts import normalised

LONGEST = 400
"""Characters of an answer that people are asked about; a longer one is no short answer."""


class SecondPersonNeeded(Refused):
    """A spelling is settled by two people."""

    code = "second-person-needed"
    text = "Une autre personne doit confirmer ou contredire cet avis."


class NotAwaited(Refused):
    """No copy of the sitting gave that answer, or it is in a list, or the question is not a QROC."""

    code = "not-awaited"


@transaction.atomic
def judge_spellings(
    *, paper_id: int, number: int, opinions: Mapping[str, SpellingCategory], actor: User, now: datetime
) -> int:
    """Write the actor's opinion on some answers, given by one spelling of each; return how many were written.

    Raises:
        SecondPersonNeeded: the actor's own opinion on one of them waits for another person's.
        Already: one of them is settled.
        NotAwaited: one of them waits for no opinion.
    """
    papers = Paper.objects.select_for_update(of=("self",), no_key=True).select_related("sitting")
    question = OpenQuestion(papers.get(pk=paper_id), number)
    rows = [
        _opinion(paper_id, number, text, category, actor=actor, now=now) for text, category in sorted(opinions.items())
    ]
    _refuse_strangers(question, rows)
    SpellingOpinion.objects.bulk_create(rows)
    log_deed(
        actor=actor, verb="judge_spellings", target=f"paper:{paper_id}/{number}", now=now, data={"answers": len(rows)}
    )
    return len(rows)


def _refuse_strangers(question: OpenQuestion, rows: Sequence[SpellingOpinion]) -> None:
    if question not in open_questions([question.paper]):
        raise NotAwaited("Cette question n’est pas à réponse ouverte et courte.")
    awaited = {group.form for group in groups_of(question, listed_key(question)) if len(group.text) <= LONGEST}
    for row in rows:
        if row.form not in awaited or len(row.text) > LONGEST:
            raise NotAwaited(f"« {row.text[:80]} » n’attend pas d’avis.")


def _opinion(
    paper_id: int, number: int, text: str, category: SpellingCategory, *, actor: User, now: datetime
) -> SpellingOpinion:
    form = normalised(text)
    said = SpellingOpinion.objects.filter(paper_id=paper_id, number=number, form=form).order_by("pk")
    opinions = [opinion_of(row) for row in said]
    stands = standing(opinions)
    if stands.settled:
        raise Already(f"« {text} » est déjà classée.")
    if stands.pending and stands.pending.given_by == actor.pk:
        raise SecondPersonNeeded(f"« {text} » : une autre personne doit confirmer ou contredire votre avis.")
    return SpellingOpinion(
        paper_id=paper_id,
        number=number,
        form=form,
        text=text,
        category=category,
        round=stands.round(opinions),
        place=2 if stands.pending else 1,
        given_by=actor,
        given_at=now,
    )
