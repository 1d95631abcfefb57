"""A wrong key is found, changed by the vote of the jury, marked again; what was foreseen is what comes."""

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from ecni.accounts.enums import Role
from grading.actions.chunks import mark_chunk
from grading.models import Decision, JurySession, MarkingRun, Minutes, Proposal
from grading.queries.questions import question_list
from grading.rules.analysis import Suspicion
from ranking.actions.computing import compute_ranking
from ranking.queries.whatif import hypothetical_ranking
from ranking.rules import digest
from tests.factories.exams import NOW, user
from tests.factories.jury import MISKEYED, make_jury, miskeyed, paper_of, sat_exam

pytestmark = pytest.mark.django_db

RIGHT_KEY = ["FALSE", "FALSE", "FALSE", "TRUE", "FALSE"]


@dataclass
class Room:
    """The pages of the jury, as each person uses them."""

    exam: object
    client: Client

    def act(self, person, name, *args, **data):
        """Post as somebody; return the page that they are then shown, which must not tell of a refusal."""
        self.client.force_login(person)
        response = self.client.post(reverse(f"grading:{name}", args=args), data)
        page = self.client.get(response["Location"]).content.decode()
        assert 'role="alert"' not in page
        return page

    def look(self, person, name, **query):
        self.client.force_login(person)
        return self.client.get(reverse(f"ranking:{name}", args=[self.exam.pk]), query).context


def mark_what_waits():
    for run in MarkingRun.objects.exclude(state="DONE"):
        for chunk in run.chunks.order_by("number"):
            mark_chunk(chunk_id=chunk.pk, now=NOW)


def vote(room, proposal, president, members):
    for person, choice in zip((president, *members), ("FOR", "FOR", "AGAINST", "ABSTAIN"), strict=True):
        room.act(person, "ballot-cast", proposal.pk, choice=choice)
    assert "2 pour, 1 contre, 1 abstention" in room.act(president, "vote-close", proposal.pk)
    assert Decision.objects.get().is_adopted


def sign(room, president):
    session = JurySession.objects.get()
    room.act(president, "minutes-sign", session.pk)
    content = Minutes.objects.get().content
    assert [(one["is_adopted"], one["for"], one["against"]) for one in content["votes"]] == [(True, 2, 1)]
    assert all(run["before"]["marks"] and run["before"]["inputs"] != run["after"]["inputs"] for run in content["runs"])
    pdf = room.client.get(reverse("grading:minutes-download", args=[session.pk])).content
    assert (pdf[:5], b"/StructTreeRoot" in pdf) == (b"%PDF-", True)


def test_wrong_key_is_found_changed_by_vote_and_marked_again_exactly_as_foreseen(client):
    agency, (president, members) = user("agence", Role.AGENCY), make_jury()
    exam = sat_exam(agency, miskeyed(), candidates=200)
    room, paper = Room(exam, client), paper_of(exam)
    before = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)

    suspect = question_list(paper)[0]
    assert (suspect.number, suspect.question.suspicions[Suspicion.KEY_BEATEN]) == (MISKEYED, ("D",))

    room.act(president, "session-open", exam.pk, present=[one.pk for one in members], quorum=3, casting_vote="on")
    change = {"kind": "REKEY", "statuses": RIGHT_KEY, "reason": "Erreur de saisie."}
    page = room.act(members[0], "proposal-submit", paper.pk, MISKEYED, **change)
    assert "A vraie devient fausse, D fausse devient vraie" in page

    proposal, runs = Proposal.objects.get(), MarkingRun.objects.count()
    foreseen, denominator = hypothetical_ranking(exam.pk, [proposal])
    shown = room.look(members[0], "whatif-show", p=proposal.pk, postes="20")["hypotheses"][0].comparison
    assert len(shown.moved) > 10
    assert MarkingRun.objects.count() == runs

    vote(room, proposal, president, members)
    room.act(agency, "decisions-apply", exam.pk)
    mark_what_waits()
    after = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert digest(foreseen, denominator).hex() == after.digest != before.digest
    assert room.look(members[0], "comparison-show", postes="20")["comparison"] == shown
    assert [row.question.is_grave for row in question_list(paper) if row.number == MISKEYED] == [False]
    sign(room, president)
