from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content import (
    AcceptedAnswers,
    CaseContent,
    Circle,
    KeyFault,
    MediaRef,
    Point,
    Polygon,
    Proposition,
    QuestionContent,
    Script,
    case_from_json,
    case_to_json,
    from_json,
    key_errors,
    key_faults,
    letters,
    to_json,
)

T, F, R, X = (
    PropositionStatus.TRUE,
    PropositionStatus.FALSE,
    PropositionStatus.REQUIRED,
    PropositionStatus.FORBIDDEN,
)
K = QuestionKind


def lines(*statuses):
    return tuple(Proposition(f"proposition {index}", status) for index, status in enumerate(statuses))


def choice(*statuses, expected_count=None):
    return QuestionContent(stem="<p>?</p>", propositions=lines(*statuses), expected_count=expected_count)


def qroc(exact, acceptable=()):
    return QuestionContent(stem="<p>?</p>", accepted=AcceptedAnswers(exact, acceptable))


def tcs(panel, scale=("a", "b", "c", "d", "e")):
    return QuestionContent(stem="devient", script=Script("Si", "et", scale, panel))


def point(x, y):
    return Point(Decimal(x), Decimal(y))


DISC = Circle(point("53.5", "32.67"), Decimal(4))
TRIANGLE = Polygon((point(10, 10), point(20, 10), point(15, 20)))


def zap(*zones, expected_count=1, images=1):
    media = (MediaRef("media/ecg.svg", "Un tracé"),) * images
    return QuestionContent(stem="<p>?</p>", media=media, zones=zones, expected_count=expected_count)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (K.QRU, choice(F, T, F, F)),
        (K.QRU, choice(F, F, F, F, T)),
        (K.QRM, choice(T, T, T, T, T)),
        (K.QRM, choice(R, X, T, F)),
        (K.QRP, choice(R, X, T, F, T, expected_count=3)),
        (K.QRPL, choice(*[T] * 4, *[F] * 18, expected_count=4)),
        (K.QRPL, choice(*[T] * 5, *[F] * 20, expected_count=5)),
        (K.QROC, qroc(("indice de Breslow",), ("épaisseur",))),
        (K.QROC, qroc(("un deux trois quatre cinq",))),
        (K.TCS, tcs((0, 9, 7, 3, 0))),
        (K.ZAP, zap(DISC)),
        (K.ZAP, zap(DISC, TRIANGLE, expected_count=2)),
    ],
)
def test_key_that_can_be_marked_has_no_fault(kind, content):
    assert key_errors(kind, content) == []


@pytest.mark.parametrize(
    ("kind", "content", "faults"),
    [
        (K.QRU, choice(F, F, F, F), [("propositions", "une proposition vraie attendue, et non 0")]),
        (K.QRU, choice(T, T, F, F), [("propositions", "une proposition vraie attendue, et non 2")]),
        (
            K.QRU,
            choice(R, F, F, F),
            [("propositions[0].status", "ni indispensable ni inacceptable dans une question QRU")],
        ),
        (K.QRM, choice(F, X, F, F), [("propositions", "au moins une proposition vraie attendue")]),
        (K.QRM, choice(T, F, F), [("propositions", "de 4 à 5 propositions attendues, et non 3")]),
        (K.QRM, choice(T, F, F, F, F, F), [("propositions", "de 4 à 5 propositions attendues, et non 6")]),
        (
            K.QRM,
            choice(T, F, F, F, expected_count=1),
            [("expected_count", "sans objet pour une question QRM")],
        ),
        (K.QRP, choice(T, T, F, F), [("expected_count", "nombre de réponses attendues manquant")]),
        (
            K.QRP,
            choice(T, R, F, F, expected_count=3),
            [("expected_count", "nombre annoncé (3) différent du nombre de propositions vraies (2)")],
        ),
        (
            K.QRPL,
            choice(*[T] * 6, *[F] * 6, expected_count=6),
            [("expected_count", "de 1 à 5 réponses attendues, et non 6")],
        ),
        (
            K.QRPL,
            choice(T, *[F] * 8, expected_count=1),
            [("propositions", "de 10 à 25 propositions attendues, et non 9")],
        ),
        (
            K.QRPL,
            choice(T, X, *[F] * 9, expected_count=1),
            [("propositions[1].status", "ni indispensable ni inacceptable dans une question QRPL")],
        ),
        (K.QROC, QuestionContent(stem="<p>?</p>"), [("accepted", "au moins une réponse exacte attendue")]),
        (K.QROC, qroc((), ("peut-être",)), [("accepted", "au moins une réponse exacte attendue")]),
        (
            K.QROC,
            qroc(("un deux trois quatre cinq six",)),
            [("accepted.exact[0]", "de 1 à 5 mots attendus, et non 6")],
        ),
        (K.QROC, qroc((" ",)), [("accepted.exact[0]", "de 1 à 5 mots attendus, et non 0")]),
        (K.QROC, qroc(("TSH",), ("T4", "tsh")), [("accepted.acceptable[1]", "réponse écrite deux fois")]),
        (
            K.TCS,
            QuestionContent(stem="devient"),
            [("script", "hypothèse, information nouvelle, échelle et votes du panel manquants")],
        ),
        (K.TCS, tcs((1, 2, 3, 4)), [("panel", "5 nombres de votes attendus, de -2 à 2")]),
        (K.TCS, tcs((1, 2, 3, 4, -1)), [("panel", "5 nombres de votes attendus, de -2 à 2")]),
        (K.TCS, tcs((0, 0, 0, 0, 0)), [("panel", "aucun vote dans le panel")]),
        (K.TCS, tcs((0, 9, 7, 3, 0), scale=("a", "b")), [("scale", "5 libellés attendus, de -2 à 2")]),
        (K.ZAP, zap(DISC, images=0), [("media", "une image à pointer attendue, et non 0")]),
        (
            K.ZAP,
            zap(DISC, TRIANGLE),
            [("expected_count", "nombre annoncé (1) différent du nombre de zones (2)")],
        ),
        (K.ZAP, zap(Circle(point(50, 50), Decimal(0))), [("zones[0]", "zone sans surface")]),
        (
            K.ZAP,
            zap(Polygon((point(10, 10), point(20, 20), point(30, 30)))),
            [("zones[0]", "zone sans surface")],
        ),
        (
            K.ZAP,
            zap(Circle(point(101, 50), Decimal(4))),
            [("zones[0]", "de 0 à 100 pour cent de l’image attendus")],
        ),
    ],
)
def test_key_fault_names_its_field_and_reason(kind, content, faults):
    assert key_faults(kind, content) == [KeyFault(*fault) for fault in faults]


def test_key_refuses_the_same_proposition_twice():
    content = QuestionContent(
        stem="<p>?</p>",
        propositions=(
            Proposition("Aorte", T),
            Proposition("Veine cave", F),
            Proposition("  aorte ", F),
            Proposition("Rate", F),
        ),
    )

    assert key_faults(K.QRU, content) == [KeyFault("propositions[2].text", "proposition écrite deux fois")]


def test_key_refuses_each_field_of_another_kind_in_alphabetical_order():
    content = QuestionContent(
        stem="<p>?</p>",
        propositions=lines(T, F, F, F),
        accepted=AcceptedAnswers(("a",)),
        zones=(DISC,),
        script=tcs((1, 0, 0, 0, 0)).script,
    )

    assert [fault.field for fault in key_faults(K.QRU, content)] == ["accepted", "script", "zones"]


def test_letters_follow_the_propositions():
    assert letters(choice()) == ""
    assert letters(choice(T, F, F, F, F)) == "ABCDE"
    assert letters(choice(*[F] * 25)) == "ABCDEFGHIJKLMNOPQRSTUVWXY"


decimals = st.decimals(min_value=0, max_value=100, places=3)
points = st.builds(Point, decimals, decimals)
texts = st.text(max_size=20)


def tuples(strategy, size=4):
    return st.lists(strategy, max_size=size).map(tuple)


contents = st.builds(
    QuestionContent,
    stem=texts,
    new_information=texts,
    media=tuples(st.builds(MediaRef, texts, texts)),
    propositions=tuples(st.builds(Proposition, texts, st.sampled_from(PropositionStatus)), size=25),
    expected_count=st.none() | st.integers(0, 9),
    accepted=st.none() | st.builds(AcceptedAnswers, tuples(texts), tuples(texts)),
    zones=tuples(st.builds(Circle, points, decimals) | st.builds(Polygon, tuples(points))),
    script=st.none() | st.builds(Script, texts, texts, tuples(texts, 6), tuples(st.integers(-1, 20), 6)),
    explanation=texts,
)


@settings(deadline=None)
@given(contents)
def test_content_survives_storage(content):
    assert from_json(to_json(content)) == content


@settings(deadline=None)
@given(st.builds(CaseContent, texts, texts, texts))
def test_case_content_survives_storage(content):
    assert case_from_json(case_to_json(content)) == content


@settings(deadline=None)
@given(st.sampled_from(QuestionKind), contents)
def test_key_errors_judge_any_content_without_failing(kind, content):
    assert key_errors(kind, content) == [fault.reason for fault in key_faults(kind, content)]
