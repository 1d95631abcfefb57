"""The jury's room: sessions, questions, proposals, votes, minutes."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.enums import PropositionStatus
from exams.models import Exam, Paper
from exams.rules.states import Refused
from grading.actions.jury import cast_ballot, close_vote, open_session, submit_proposal, write_remark
from grading.actions.minutes import sign_minutes
from grading.actions.spellings import judge_spellings
from grading.enums import BallotChoice, NeutralisationMode, SpellingCategory
from grading.forms.jury import BallotForm, SessionForm, change_from, opinions_from
from grading.models import JurySession, Minutes, Proposal
from grading.queries.decisions import sittings_behind
from grading.queries.jury import (
    is_present,
    jury_sessions,
    members,
    open_session_of,
    proposal_rows,
    rows_about,
)
from grading.queries.marking import exam_papers, readable_exams
from grading.queries.plots import option_plot
from grading.queries.questions import QuestionPage, question_list, question_page, remarks
from grading.queries.spellings import group_rows, groups_of, listed_key, open_questions, settled_of
from grading.reports.minutes import minutes_document
from grading.rules.access import may
from grading.rules.decisions import key_data
from grading.rules.deliberation import VotingRules
from grading.rules.keys import LETTERS
from grading.rules.parameters import PUBLISHED
from grading.tasks import launch_marking

VERBS = ("mark", "adjudicate", "propose", "vote", "preside")
BATCH = 50
TEXT = 2000


@never_cache
@login_required
@require_GET
def show_jury(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the session, the proposals with where they stand, and what is left to apply and to sign."""
    exam, actor = _exam(request, exam_id)
    session = open_session_of(exam_id)
    context = _room(exam, actor) | {
        "page": "decisions",
        "sessions": jury_sessions(exam_id),
        "session": session,
        "present": list(session.presences.select_related("member").order_by("pk")) if session else [],
        "votes_here": is_present(session, actor),
        "rows": proposal_rows(exam_id, actor),
        "form": SessionForm(members=_choices()),
        "members": members().exclude(pk=actor.pk),
        "ballots": BallotChoice.choices,
    }
    return render(request, "grading/jury.html", context)


@login_required
@require_POST
def open_room(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Open a session with the members present."""
    actor = _allowed(request, "preside")
    exam = get_object_or_404(Exam, pk=exam_id)
    form = SessionForm(request.POST, members=_choices())
    if not form.is_valid():
        messages.error(request, _("La liste des présents ou le quorum est illisible."))
        return redirect("grading:jury-show", exam_id)
    asked = form.cleaned_data
    rules = VotingRules(asked["quorum"], asked["casting_vote"])
    _do(
        request,
        lambda: open_session(exam_id=exam.pk, present=asked["present"], rules=rules, actor=actor, now=now()),
        _("La séance est ouverte."),
    )
    return redirect("grading:jury-show", exam_id)


@never_cache
@login_required
@require_GET
def list_questions(request: HttpRequest, exam_id: int) -> HttpResponse:
    """List the questions of a sitting, the most suspect first."""
    exam, actor = _exam(request, exam_id)
    papers = exam_papers(exam_id)
    asked = request.GET.get("epreuve", "")
    chosen = [paper for paper in papers if str(paper.sitting.number) == asked] or papers
    paper = chosen[0] if chosen else None
    context = _room(exam, actor) | {
        "page": "questions",
        "papers": papers,
        "paper": paper,
        "rows": question_list(paper) if paper else [],
    }
    return render(request, "grading/questions.html", context)


@never_cache
@login_required
@require_GET
def show_question(request: HttpRequest, paper_id: int, number: int) -> HttpResponse:
    """Show a question: what was answered, what is proposed, what may be."""
    page, exam, actor = _question(request, paper_id, number, "follow-marking")
    counted = key_data(page.counted)
    context = _room(exam, actor) | {
        "page": "questions",
        "question": page,
        "plot": option_plot(page.facts.options) if page.facts and page.facts.options else None,
        "remarks": remarks(paper_id, number),
        "rows": rows_about(proposal_rows(exam.pk, actor), paper_id, number),
        "key": counted,
        "changes_key": page.printed != page.counted,
        "statuses": PropositionStatus.choices,
        "modes": NeutralisationMode.choices,
        "mode": PUBLISHED.neutralisation,
        "steps": list(zip(("−2", "−1", "0", "+1", "+2"), counted.get("votes", ()), strict=False)),
        "lines": list(zip(LETTERS, page.content.propositions, counted.get("statuses", ()), strict=False)),
        "lists": [(name, label, "\n".join(counted[name])) for name, label in LISTS if name in counted],
    }
    return render(request, "grading/question.html", context)


LISTS = (("exact", "Réponses exactes"), ("acceptable", "Réponses acceptables"), ("refused", "Réponses fausses"))


@login_required
@require_POST
def propose(request: HttpRequest, paper_id: int, number: int) -> HttpResponse:
    """Put a proposal about a question to the jury."""
    page, _exam_row, actor = _question(request, paper_id, number, "propose")
    reason = request.POST.get("reason", "")[:TEXT]
    _do(
        request,
        lambda: submit_proposal(
            paper_id=paper_id, change=change_from(request.POST, page), reason=reason, actor=actor, now=now()
        ),
        _("La proposition est enregistrée : simulez son effet avant le vote."),
    )
    return redirect("grading:question-show", paper_id, number)


@login_required
@require_POST
def remark(request: HttpRequest, paper_id: int, number: int) -> HttpResponse:
    """Write a remark on a question."""
    _page, _exam_row, actor = _question(request, paper_id, number, "propose")
    text = request.POST.get("text", "")[:TEXT]
    _do(
        request,
        lambda: write_remark(paper_id=paper_id, number=number, text=text, actor=actor, now=now()),
        _("La remarque est enregistrée."),
    )
    return redirect("grading:question-show", paper_id, number)


@login_required
@require_POST
def vote(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Cast one's vote."""
    actor = _allowed(request, "vote")
    proposal = get_object_or_404(Proposal, pk=proposal_id)
    form = BallotForm(request.POST)
    if form.is_valid():
        choice = BallotChoice(form.cleaned_data["choice"])
        _do(
            request,
            lambda: cast_ballot(proposal_id=proposal_id, choice=choice, actor=actor, now=now()),
            _("Votre vote est enregistré."),
        )
    else:
        messages.error(request, _("Choisissez un vote."))
    return redirect("grading:jury-show", proposal.exam_id)


@login_required
@require_POST
def decide(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Close a vote."""
    actor = _allowed(request, "preside")
    proposal = get_object_or_404(Proposal, pk=proposal_id)
    _do(
        request,
        lambda: close_vote(proposal_id=proposal_id, actor=actor, now=now()),
        _("Le vote est clos."),
    )
    return redirect("grading:jury-show", proposal.exam_id)


@login_required
@require_POST
def apply_decisions(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Mark again the sittings whose marks do not follow the decisions."""
    actor = _allowed(request, "mark")
    get_object_or_404(Exam, pk=exam_id)
    behind = sittings_behind(exam_id)
    if not behind:
        messages.error(request, _("Les notes suivent déjà toutes les décisions."))
    for sitting in behind:
        _do(
            request,
            lambda pk=sitting.pk: launch_marking(  # type: ignore[misc]  # the key of this turn
                sitting_id=pk, actor=actor, now=now(), reason="Décisions du jury"
            ),
            _("La notation de « %(title)s » est lancée.") % {"title": sitting.title},
        )
    return redirect("grading:marking-show", exam_id)


@never_cache
@login_required
@require_GET
def list_spellings(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the short answers that are in no list, question by question."""
    exam, actor = _exam(request, exam_id)
    questions = open_questions(exam_papers(exam_id))
    asked = request.GET.get("question", "")
    chosen = [one for one in questions if f"{one.paper.pk}-{one.number}" == asked] or questions
    context = _room(exam, actor) | {"page": "spellings", "questions": questions}
    if chosen:
        question = chosen[0]
        key = listed_key(question)
        groups = groups_of(question, key)
        context |= {
            "question": question,
            "asked": question_page(question.paper.pk, question.number),
            "lists": [(label, sorted(getattr(key, name))) for name, label in LISTS],
            "rows": group_rows(question, groups[:BATCH], key, actor.pk),
            "groups": len(groups),
            "copies": sum(group.copies for group in groups),
            "settled": len(settled_of(question)),
            "categories": SpellingCategory.choices,
        }
    return render(request, "grading/spellings.html", context)


@login_required
@require_POST
def judge(request: HttpRequest, paper_id: int, number: int) -> HttpResponse:
    """Write one's opinions on the answers of the page."""
    actor = _allowed(request, "adjudicate")
    paper = get_object_or_404(Paper.objects.select_related("sitting"), pk=paper_id)
    try:
        count = judge_spellings(
            paper_id=paper_id, number=number, opinions=opinions_from(request.POST), actor=actor, now=now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        text = ngettext("%(count)d avis enregistré.", "%(count)d avis enregistrés.", count)
        messages.success(request, text % {"count": count})
    address = redirect("grading:spelling-list", paper.sitting.exam_id)
    address["Location"] += f"?question={paper_id}-{number}"
    return address


@login_required
@require_POST
def sign(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign the minutes, which closes the session."""
    actor = _allowed(request, "preside")
    session = get_object_or_404(JurySession, pk=session_id)
    _do(
        request,
        lambda: sign_minutes(session_id=session_id, actor=actor, now=now()),
        _("Le procès-verbal est signé, la séance est close."),
    )
    return redirect("grading:jury-show", session.exam_id)


@never_cache
@login_required
@require_GET
def download_minutes(request: HttpRequest, session_id: int) -> HttpResponse:
    """Give the signed minutes."""
    _allowed(request, "follow-marking")
    minutes = Minutes.objects.select_related("signed_by").filter(session_id=session_id).first()
    if minutes is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="proces-verbal-{session_id}.pdf"'}
    return HttpResponse(minutes_document(minutes), content_type="application/pdf", headers=headers)


def _do(request: HttpRequest, act: Callable[[], object], done: str) -> None:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)


def _room(exam: Exam, actor: User) -> dict[str, Any]:
    """Return what the frame of every page of the room says."""
    return {
        "exam": exam,
        "is_open": open_session_of(exam.pk) is not None,
        "behind": sittings_behind(exam.pk),
        "allowed": {verb: may(actor.role, verb) for verb in VERBS},
    }


def _choices() -> list[tuple[int, str]]:
    return [(member.pk, str(member)) for member in members()]


def _exam(request: HttpRequest, exam_id: int) -> tuple[Exam, User]:
    actor = _allowed(request, "follow-marking")
    return get_object_or_404(readable_exams(actor), pk=exam_id), actor


def _question(request: HttpRequest, paper_id: int, number: int, verb: str) -> tuple[QuestionPage, Exam, User]:
    actor = _allowed(request, verb)
    page = question_page(paper_id, number)
    if page is None:
        raise Http404
    return page, page.paper.sitting.exam, actor


def _allowed(request: HttpRequest, verb: str) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, verb):
        raise PermissionDenied
    return actor
