"""The item analysis: what makes a suspect, what the pages show to whom, and that small cells stay hidden."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from ecni.accounts.enums import Role
from exams.actions.journal import prepare_journal
from exams.enums import OpKind, QuestionKind
from exams.models import JournalEntry, Sheet
from exams.queries.times import response_times
from exams.rules.answers import mask_of
from grading.queries import latest_run
from grading.queries.analysis import run_analysis
from grading.reports.analysis import curves
from grading.rules.analysis import Suspicion, analyse
from grading.rules.engine import Responses, mark_responses, plan_run
from grading.rules.keys import QrocKey, TcsKey
from grading.rules.units import Unit, structure_of
from tests.factories import marking
from tests.factories.exams import NOW, make_exam, sit, user
from tests.factories.grading import mark_sitting
from tests.factories.marking import AT_LEISURE, choice_key

QRU, QRM = QuestionKind.QRU, QuestionKind.QRM


def analysis_of(keys, sheets):
    """The analysis of isolated questions, by the letters or texts of each sheet in order."""
    numbered = dict(enumerate(keys, start=1))
    structure = structure_of("ECNI", {"QI": [Unit(f"QI-{number}", (number,)) for number in numbered]})
    plan = plan_run(structure, numbered)
    masks, texts = {}, {}
    for number, column in plan.columns.items():
        values = [sheet[number - 1] for sheet in sheets]
        if column.is_choice:
            masks[number] = np.array([mask_of(value) for value in values], dtype=np.uint32)
        else:
            texts[number] = values
    responses = Responses(masks, texts)
    return analyse(plan, responses, mark_responses(plan, responses))


def able(count, questions, rng, slip=0.35):
    """Answers to `QRU A` questions by candidates from the weakest to the best."""
    return [
        ["A" if rng.random() > slip * 2 * (1 - place / count) else rng.choice("BCDE") for _ in range(questions)]
        for place in range(count)
    ]


def test_wrong_key_is_the_first_suspect_and_the_better_option_is_named():
    sheets = able(400, 20, Random(5))
    keys = [(QRU, choice_key("TFFFF"))] * 20
    keys[6] = (QRU, choice_key("FFTFF"))
    first = analysis_of(keys, sheets).suspects[0]
    assert first.number == 7
    assert first.suspicions[Suspicion.KEY_BEATEN] == ("A",)
    assert first.told[0] == "Clé contestée : les meilleurs choisissent A, que la clé dit faux."
    assert first.statistics.item_rest < 0


def test_sound_paper_has_no_key_in_doubt():
    analysis = analysis_of([(QRU, choice_key("TFFFF"))] * 20, able(400, 20, Random(6)))
    assert [question.number for question in analysis.questions if question.is_grave] == []


def test_true_proposition_missing_from_a_multiple_key_is_seen():
    rng = Random(7)
    sheets = [
        [*letters, "AB" if place > 150 + rng.randint(-60, 60) else rng.choice(["AC", "A", "D"])]
        for place, letters in enumerate(able(400, 12, rng))
    ]
    analysis = analysis_of([*[(QRU, choice_key("TFFFF"))] * 12, (QRM, choice_key("TFFFF"))], sheets)
    assert analysis.suspects[0].number == 13
    assert analysis.suspects[0].suspicions[Suspicion.KEY_BEATEN] == ("B",)


def test_each_suspicion_has_its_words_and_its_place():
    sheets = [["A", "B", "", "A" if place % 2 else "B"] for place in range(60)]
    found = analysis_of([(QRU, choice_key("TFF"))] * 4, sheets)
    by_number = {question.number: list(question.suspicions) for question in found.questions}
    assert by_number == {
        1: [Suspicion.EASY, Suspicion.DEAD_DISTRACTOR],
        2: [Suspicion.HARD, Suspicion.DEAD_DISTRACTOR],
        3: [Suspicion.HARD, Suspicion.BLANKS, Suspicion.DEAD_DISTRACTOR],
        4: [Suspicion.DEAD_DISTRACTOR],
    }
    assert [len(question.told) for question in found.questions] == [2, 2, 3, 1]
    assert [question.number for question in found.suspects] == [2, 3, 1, 4]


def test_open_kinds_and_scripts_are_described_too():
    sheets = [["-1", "aorte"], ["0", "foie"], ["", ""], ["-1", "aorte"]]
    tcs = (QuestionKind.TCS, TcsKey((0, 9, 7, 3, 0)))
    found = analysis_of([tcs, (QuestionKind.QROC, QrocKey(frozenset({"aorte"})))], sheets)
    script, text = found.questions
    assert [(one.label, one.is_right, one.count) for one in script.answers] == [
        ("-2", False, 0),
        ("-1", True, 2),
        ("0", False, 1),
        ("1", False, 0),
        ("2", False, 0),
        ("", False, 1),
    ]
    assert script.scores == ((Fraction(0), 1), (Fraction(7, 9), 1), (Fraction(1), 2))
    assert [(one.label, one.count) for one in text.answers] == [("", 1)]
    assert [kind.kind for kind in found.kinds] == [QuestionKind.QROC, QuestionKind.TCS]


@AT_LEISURE
@given(st.lists(st.tuples(*[marking.choices(choice_key("TFFFF"))] * 3), min_size=2, max_size=8), st.randoms())
def test_analysis_does_not_depend_on_the_order_of_candidates(sheets, random):
    keys = [(QRM, choice_key("TTFFX")), (QRM, choice_key("IFFFT")), (QRM, choice_key("FFFFT"))]
    assert analysis_of(keys, sheets) == analysis_of(keys, random.sample(sheets, len(sheets)))


@pytest.fixture
def sitting():
    rng = Random(3)
    sitting = make_exam([[("QI", [("QRU", "TFFFF")])] * 8]).sittings.get()
    answers = {f"K2-{n:04}": values for n, values in enumerate(able(120, 8, rng), start=1)}
    sit(sitting, {number: ("B" if values[0] == "A" else "A", *values[1:]) for number, values in answers.items()})
    mark_sitting(sitting, user("agence", Role.AGENCY))
    return sitting


@pytest.mark.django_db
def test_page_lists_suspects_first_and_sorts_filters_and_exports(client, sitting):
    client.force_login(user("jury", Role.JURY))
    address = reverse("grading:analysis-show", args=[sitting.pk])
    rows = client.get(address).context["rows"]
    assert rows[0]["question"].number == 1
    by_number = client.get(address, {"tri": "numero"}).context["rows"]
    assert [row["question"].number for row in by_number] == list(range(1, 9))
    doubted = client.get(address, {"montrer": "cle"}).context["rows"]
    assert [row["question"].number for row in doubted] == [1]
    assert client.get(address, {"genre": "QRM"}).context["rows"] == []
    assert len(client.get(address, {"tri": "rien", "genre": "?"}).context["rows"]) == 8
    table = client.get(reverse("grading:analysis-export", args=[sitting.pk]), {"montrer": "cle"})
    heading, line, end = table.content.decode("utf-8-sig").split("\r\n")
    assert (heading.split(";")[0], line.split(";")[:2], end) == ("question", ["1", "QRU"], "")
    assert "K2-" not in table.content.decode()


@pytest.mark.django_db
def test_question_page_shows_text_key_and_figures_without_a_person(client, sitting):
    client.force_login(user("jury", Role.JURY))
    answer = client.get(reverse("grading:item", args=[latest_run(sitting.pk).pk, 1]))
    page = answer.content.decode()
    assert "Question blanc-1-1-1 ?" in page
    assert "K2-" not in page
    assert [line.label for line in answer.context["answers"]] == ["A", "B", "C", "D", "E", "∅"]
    assert answer.context["key"] == "A"
    assert [curve.is_right for curve in answer.context["curves"]] == [True, False]
    assert client.get(reverse("grading:item", args=[latest_run(sitting.pk).pk, 9])).status_code == 404
    assert client.get(reverse("grading:item-image", args=[latest_run(sitting.pk).pk, 1, 1])).status_code == 404


@pytest.mark.django_db
def test_small_cells_are_hidden_on_the_page_and_in_the_export(client):
    sitting = make_exam([[("QI", [("QRU", "TFFFF")])] * 2]).sittings.get()
    sit(sitting, {f"K2-{n:04}": ("A" if n % 2 else "B", "C" if n == 1 else "A") for n in range(1, 25)})
    mark_sitting(sitting, user("agence", Role.AGENCY))
    client.force_login(user("jury", Role.JURY))
    answer = client.get(reverse("grading:item", args=[latest_run(sitting.pk).pk, 2]))
    lines = {line.label: line for line in answer.context["answers"]}
    assert (lines["C"].share, lines["C"].upper_lower, lines["B"].share) == ("< 5", None, "0,0\u00a0%")
    assert set(lines["A"].fifths) == {"< 5"}
    assert answer.context["curves"] == []
    assert [bar.count for bar in answer.context["bars"]] == ["< 5", "23"]
    export = client.get(reverse("grading:analysis-export", args=[sitting.pk])).content.decode()
    assert "C=< 5" in export


@pytest.mark.django_db
def test_sitting_that_is_not_marked_or_too_small_says_so(client):
    sitting = make_exam().sittings.get(number=1)
    client.force_login(user("agence", Role.AGENCY))
    address = reverse("grading:analysis-show", args=[sitting.pk])
    assert "pas encore notée" in client.get(address).content.decode()
    assert client.get(reverse("grading:item", args=[0, 1])).status_code == 404
    sit(sitting, {"K2-0001": ("B", "AC", "AB", "E", "AC")})
    mark_sitting(sitting, user("autre", Role.AGENCY))
    assert "au moins deux candidats" in client.get(address).content.decode()
    assert client.get(reverse("grading:analysis-export", args=[sitting.pk])).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.INVIGILATOR, Role.CENTRE_HEAD, Role.COUNCIL, Role.OPS])
@pytest.mark.parametrize("name", ["show", "export"])
def test_analysis_is_refused_to_others(client, sitting, role, name):
    client.force_login(user("autre", role))
    assert client.get(reverse(f"grading:analysis-{name}", args=[sitting.pk])).status_code == 403
    assert client.get(reverse("grading:item", args=[latest_run(sitting.pk).pk, 1])).status_code == 403
    assert client.get(reverse("grading:item-image", args=[latest_run(sitting.pk).pk, 1, 1])).status_code == 403


def test_names_of_curves_never_cover_each_other():
    long = (QuestionKind.QRPL, choice_key("TTT" + "F" * 22, 3))
    sheets = [["".join(sorted({"ABC"[place % 3], chr(68 + place % 22)})), "ABC"] for place in range(220)]
    drawn = curves(analysis_of([long, long], sheets).questions[0].answers, 220)
    assert [curve.name for curve in drawn] == list("ABCDEFGHIJKL")
    heights = sorted(curve.label_y for curve in drawn)
    assert min(two - one for one, two in pairwise(heights)) >= 16
    assert heights[-1] <= 322


@pytest.mark.django_db
def test_response_time_goes_from_an_act_to_the_next_one(sitting):
    acts = [
        (OpKind.ANSWER, 1, 10_000),
        (OpKind.ANSWER, 2, 40_000),
        (OpKind.FLAG, 2, 45_000),
        (OpKind.ANSWER, 1, 50_000),
        (OpKind.SUBMIT, 0, 90_000),
    ]
    prepare_journal(sitting_id=sitting.pk)
    sheets = Sheet.objects.filter(sitting=sitting).order_by("pk")[:3]
    JournalEntry.objects.bulk_create(
        JournalEntry(
            sitting_id=sitting.pk,
            sheet_id=sheet.pk,
            seq=seq,
            epoch=1,
            kind=kind,
            question=question,
            value="",
            made_at=made_at * (place + 1),
            received_at=NOW,
            digest=b"x",
        )
        for place, sheet in enumerate(sheets)
        for seq, (kind, question, made_at) in enumerate(acts, start=1)
    )
    times = response_times(sitting.pk)
    assert {number: (time.sheets, time.lower, time.median, time.upper) for number, time in times.items()} == {
        1: (3, 7.5, 10.0, 12.5),
        2: (3, 52.5, 70.0, 87.5),
    }


@pytest.mark.django_db
def test_analysis_of_a_run_adds_up_with_its_marks(sitting):
    run = latest_run(sitting.pk)
    analysis = run_analysis(run)
    assert analysis is run_analysis(run)
    total = sum(row.total for row in run.marks.all())
    assert analysis.exam.mean == Fraction(total, run.denominator * 120)
