"""What the jury's pages take and refuse: every form, each refusal said in French, nothing half done."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.enums import QuestionKind
from exams.models import PaperQuestion, PaperUnit, Question
from exams.rules.content import (
    AcceptedAnswers,
    Circle,
    MediaRef,
    Point,
    Proposition,
    QuestionContent,
    Script,
    to_json,
)
from grading.models import Ballot, JurySession, Proposal, Remark, SpellingOpinion
from tests.factories.exams import NOW, STATUSES, make_exam, user
from tests.factories.jury import make_jury, neutralise, open_exam, paper_of, propose, sat_exam, sitting_jury

pytestmark = pytest.mark.django_db

CONTENTS = {
    QuestionKind.QRP: QuestionContent(
        "<p>?</p>",
        propositions=tuple(Proposition(c, STATUSES[c2]) for c, c2 in zip("abcde", "TTFFF", strict=True)),
        expected_count=2,
    ),
    QuestionKind.QROC: QuestionContent("<p>?</p>", accepted=AcceptedAnswers(("Aorte",))),
    QuestionKind.TCS: QuestionContent("<p>?</p>", script=Script("h", "n", ("a", "b", "c", "d", "e"), (0, 9, 7, 3, 0))),
    QuestionKind.ZAP: QuestionContent(
        "<p>?</p>", media=(MediaRef("media/i.svg", "image"),), zones=(Circle(Point(50, 50), 10),), expected_count=1
    ),
}


@pytest.fixture
def people():
    return make_jury()


@pytest.fixture
def member(people):
    return people[1][0]


@pytest.fixture
def paper():
    """A paper with one question of each kind that needs a form of its own, numbered from 2."""
    paper = paper_of(make_exam(([("QI", [("QRU", "TFFFF")])],), slug="formes"))
    part = paper.units.get().part
    for number, (kind, content) in enumerate(CONTENTS.items(), start=2):
        question = Question.objects.create(
            identifier=f"forme-{kind}", kind=kind, rank="A", content=to_json(content), created_at=NOW
        )
        unit = PaperUnit.objects.create(paper=paper, position=number, part=part, question=question)
        PaperQuestion.objects.create(
            paper=paper,
            number=number,
            unit=unit,
            question=question,
            kind=kind,
            propositions=len(content.propositions),
            expected_count=content.expected_count,
            image_width=200 if content.zones else None,
            image_height=100 if content.zones else None,
            is_progressive=False,
        )
    return paper


def post(client, person, name, *args, **data):
    client.force_login(person)
    response = client.post(reverse(f"grading:{name}", args=args), data)
    assert response.status_code == 302
    return [str(message) for message in get_messages(response.wsgi_request)][-1:]


@pytest.mark.parametrize(
    ("number", "data", "key"),
    [
        (
            2,
            {"statuses": ["TRUE"] * 3 + ["FALSE"] * 2, "expected_count": "3"},
            {"statuses": ["TRUE"] * 3 + ["FALSE"] * 2, "expected_count": 3},
        ),
        (
            3,
            {"exact": "Aorte\n l’aorte  vraie \n\n", "acceptable": "crosse", "refused": ""},
            {"exact": ["Aorte", "l’aorte vraie"], "acceptable": ["crosse"], "refused": []},
        ),
        (4, {"votes": ["1", "2", "3", "4", "5"]}, {"votes": [1, 2, 3, 4, 5]}),
        (
            5,
            {"zones": "cercle 10;20.5 rayon 5\npolygone 0;0 9;0 9;9", "expected_count": "2"},
            {"zones": ["cercle 10;20.5 rayon 5", "polygone 0;0 9;0 9;9"], "expected_count": 2},
        ),
    ],
)
def test_new_key_of_each_kind_is_read_from_its_form(client, member, paper, number, data, key):
    client.force_login(member)
    assert client.get(reverse("grading:question-show", args=[paper.pk, number])).status_code == 200
    post(client, member, "proposal-submit", paper.pk, number, kind="REKEY", reason="Relue.", **data)
    proposal = Proposal.objects.get()
    assert (proposal.kind, proposal.questions, proposal.key, proposal.mode) == ("REKEY", [number], key, "")
    assert client.get(reverse("grading:jury-show", args=[proposal.exam_id])).status_code == 200


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (1, {}),
        (1, {"kind": "OUBLIER"}),
        (1, {"kind": "NEUTRALISE"}),
        (1, {"kind": "NEUTRALISE", "mode": "MOITIE"}),
        (1, {"kind": "REKEY"}),
        (1, {"kind": "REKEY", "statuses": ["TRUE", "PEUT-ETRE"]}),
        (2, {"kind": "REKEY", "statuses": ["TRUE"] * 5, "expected_count": "deux"}),
        (3, {"kind": "REKEY", "exact": "", "acceptable": "", "refused": ""}),
        (4, {"kind": "REKEY", "votes": ["1", "2"]}),
        (5, {"kind": "REKEY", "zones": "rond", "expected_count": "1"}),
        (1, {"kind": "NEUTRALISE", "mode": "RESCALE", "reason": " "}),
    ],
)
def test_form_that_says_nothing_clear_is_refused_whole(client, member, paper, number, data):
    messages = post(client, member, "proposal-submit", paper.pk, number, **{"reason": "Relue.", **data})
    assert len(messages) == 1
    assert Proposal.objects.count() == 0


def test_whole_case_is_proposed_from_one_of_its_questions(client, member):
    paper = paper_of(make_exam())
    data = {"kind": "NEUTRALISE", "mode": "FULL", "scope": "unite", "reason": "Image illisible."}
    post(client, member, "proposal-submit", paper.pk, 4, **data)
    assert Proposal.objects.get().questions == [3, 4, 5]


def test_session_vote_and_remark_refuse_in_words(client, people, paper):
    president, members = people
    exam_id = paper.sitting.exam_id
    assert post(client, president, "session-open", exam_id, quorum="beaucoup") == [
        "La liste des présents ou le quorum est illisible."
    ]
    assert post(client, president, "session-open", exam_id, present=[members[0].pk], quorum=3) == [
        "Le quorum est de 3 membres ; présents : 2."
    ]
    proposal = propose(neutralise(paper, 2), members[0])
    assert post(client, members[0], "ballot-cast", proposal.pk, choice="FOR") == [
        "Aucune séance du jury n’est ouverte pour cet examen."
    ]
    assert post(client, members[0], "ballot-cast", proposal.pk, choice="PEUT-ETRE") == ["Choisissez un vote."]
    assert post(client, members[0], "remark-write", paper.pk, 1, text=" ") == ["Écrivez la remarque."]
    assert (JurySession.objects.count(), Ballot.objects.count(), Remark.objects.count()) == (0, 0, 0)


def test_what_the_ballots_say_is_unknown_until_the_vote_is_closed(client, people, paper):
    president, members = people
    sitting_jury(paper.sitting.exam, president, members)
    proposal = propose(neutralise(paper, 2), members[0])
    post(client, members[0], "ballot-cast", proposal.pk, choice="AGAINST")
    client.force_login(president)
    page = client.get(reverse("grading:jury-show", args=[proposal.exam_id]))
    assert [(row.ballots, row.own) for row in page.context["rows"]] == [(1, None)]
    assert "Votre vote :" not in page.content.decode()


def test_batch_of_short_answers_is_written_whole_or_not(client, people):
    exam = open_exam(user("agence", Role.AGENCY), {"K2-0001": "aortte", "K2-0002": "foie"})
    paper, member = paper_of(exam), people[1][0]
    texts = {"text-1": "aortte", "text-2": "foie"}
    assert post(client, member, "spelling-judge", paper.pk, 2, **texts, **{"category-1": "BOF"}) == [
        "Une catégorie est illisible : rien n’a été enregistré."
    ]
    data = {**texts, "category-1": "EXACT", "category-2": ""}
    assert post(client, member, "spelling-judge", paper.pk, 2, **data) == ["1 avis enregistré."]
    assert SpellingOpinion.objects.get().form == "aortte"


def test_nothing_is_marked_again_when_nothing_was_decided(client):
    agency = user("agence", Role.AGENCY)
    exam = sat_exam(agency, candidates=4)
    assert post(client, agency, "decisions-apply", exam.pk) == ["Les notes suivent déjà toutes les décisions."]
    assert Deed.objects.filter(verb="start_marking").count() == 2


def test_pages_of_an_exam_without_marks_open(client, member, paper):
    client.force_login(member)
    for name in ("jury-show", "question-list", "spelling-list"):
        assert client.get(reverse(f"grading:{name}", args=[paper.sitting.exam_id])).status_code == 200
    for name in ("whatif-show", "comparison-show"):
        assert client.get(reverse(f"ranking:{name}", args=[paper.sitting.exam_id])).status_code == 200
    assert client.get(reverse("grading:question-show", args=[paper.pk, 99])).status_code == 404
    assert client.get(reverse("grading:minutes-download", args=[99])).status_code == 404
