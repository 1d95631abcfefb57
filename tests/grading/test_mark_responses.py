"""`manage.py mark_responses`: published results of real exams, refusals by line and column, the document's example."""

import csv
import json
import re
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from grading.exports import decimal_text
from grading.rules import second
from tests.factories.others import folder_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "mark-responses.md"
SETS = ("msatb", "hci", "lsat6", "lsat7", "iqitems")
RULES = {
    "discordance": (["--rule", "discordance"], "score_discordance", "rank"),
    "discordance_blank_by_d": (["--blank", "literal"], "score_blank_by_d", "rank_blank_by_d"),
    "exact": (["--rule", "exact"], "score_exact", "rank_exact"),
}
CLOSE = {"abs": 1.1e-6}
FIGURES = ("difficulty", "sd", "r_item_total", "r_item_rest", "alpha_if_deleted")


def run(out, key, responses, *options):
    told = StringIO()
    call_command("mark_responses", str(out), "--key", key, "--responses", responses, *options, stdout=told, stderr=told)
    return told.getvalue()


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", SETS)
def test_real_exam_gives_what_an_independent_script_published(tmp_path, name, rule):
    folder = folder_of("item_response", name)
    options, score, rank = RULES[rule]
    run(tmp_path, folder / "key.csv", folder / "responses.csv", *options)
    expected = rows_of(folder / "expected" / "persons.csv")
    persons = rows_of(tmp_path / "persons.csv")
    assert [(row["person"], Fraction(row["total"]), row["rank"]) for row in persons] == [
        (row["person"], Fraction(row[score]), row[rank]) for row in expected
    ]
    for found, row in zip(
        rows_of(tmp_path / "items.csv"), rows_of(folder / "expected" / f"items_{rule}.csv"), strict=True
    ):
        assert (found["item"], found["key"]) == (row["item"], row["key"])
        names = [*FIGURES, *(column for column in row if column.startswith("p_"))]
        assert list(found) == ["item", "key", *names]
        assert [float(found[column]) for column in names] == pytest.approx(
            [float(row[column]) for column in names], **CLOSE
        )
    summary = json.loads((tmp_path / "summary.json").read_text())
    published = json.loads((folder / "expected" / "summary.json").read_text())
    assert (summary["persons"], summary["items"]) == (published["persons"], published["items"])
    names = ("mean", "sd", "min", "max", "alpha", "sem")
    assert [summary[name] for name in names] == pytest.approx([published[rule][name] for name in names], **CLOSE)
    marks = rows_of(tmp_path / "marks.csv")
    assert [sum(Fraction(row[item["item"]]) for item in rows_of(tmp_path / "items.csv")) for row in marks] == [
        Fraction(row["total"]) for row in persons
    ]


@pytest.mark.parametrize("name", ["msatb", "hci"])
def test_exact_marks_are_the_published_ones_in_every_cell(tmp_path, name):
    folder = folder_of("item_response", name)
    run(tmp_path, folder / "key.csv", folder / "responses.csv", "--rule", "exact")
    assert rows_of(tmp_path / "marks.csv") == rows_of(folder / "dichotomous_published.csv")


EXAMPLES = dict(
    re.findall(r"^`([\w.]+)`:\n\n```\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)


def test_worked_examples_of_the_document_come_out_as_printed(tmp_path):
    for name in ("key.csv", "responses.csv", "panel.csv", "scripts.csv"):
        (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
    run(tmp_path / "out", tmp_path / "key.csv", tmp_path / "responses.csv")
    for name in ("marks.csv", "persons.csv", "items.csv", "summary.json"):
        assert (tmp_path / "out" / name).read_text(encoding="utf-8") == EXAMPLES[name]
    run(tmp_path / "tcs", tmp_path / "panel.csv", tmp_path / "scripts.csv", "--rule", "tcs")
    assert (tmp_path / "tcs" / "marks.csv").read_text(encoding="utf-8") == EXAMPLES["tcs_marks.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "key.csv", "out", "panel.csv", "responses.csv", "scripts.csv", "tcs",
    ]  # fmt: skip


KEY, RESPONSES = "item,key\nQ1,A\nQ2,BC\n", "person,Q1,Q2\nP1,A,BC\nP2,,B\n"
PANEL, SCRIPTS = "person,Q1,Q2\nE1,-1,0\nE2,+1,0\n", "person,Q1,Q2\nP1,-1,0\nP2,,2\n"
BROKEN = [
    ("item;cle\nQ1;A\n", RESPONSES, (), ["key.csv, ligne 1 : en-tête attendu : « item,key »."]),
    (
        "item,key\nQ1,A\nQ2,B9\nQ3,\nQ3,A\n,B\nQ4\n",
        RESPONSES,
        (),
        [
            "key.csv, ligne 3, colonne 2 : question « Q2 », « B9 » : des lettres de A à Z sont attendues.",
            "key.csv, ligne 4, colonne 1 : la question « Q3 » n’est pas dans les réponses.",
            "key.csv, ligne 4, colonne 2 : question « Q3 », clé vide.",
            "key.csv, ligne 5, colonne 1 : question « Q3 » en double.",
            "key.csv, ligne 5, colonne 1 : la question « Q3 » n’est pas dans les réponses.",
            "key.csv, ligne 6, colonne 1 : question sans nom.",
            "key.csv, ligne 7 : 1 cellules, 2 attendues.",
            "key.csv, ligne 7, colonne 1 : la question « Q4 » n’est pas dans les réponses.",
        ],
    ),
    (
        KEY,
        "personne,Q1,Q2,Q1,Q9\nP1,A,AA,?,B\nP1,A\n,A,B,C,D\n",
        (),
        [
            "responses.csv, ligne 1, colonne 1 : la première colonne s’appelle « person ».",
            "responses.csv, ligne 1, colonne 4 : question « Q1 » en double.",
            "responses.csv, ligne 1, colonne 5 : la question « Q9 » n’a pas de clé.",
            "responses.csv, ligne 2, colonne 3 : question « Q2 », « AA » : une lettre est répétée.",
            "responses.csv, ligne 2, colonne 4 : question « Q1 », « ? » : des lettres de A à Z sont attendues.",
            "responses.csv, ligne 3 : 2 cellules, 5 attendues.",
            "responses.csv, ligne 3, colonne 1 : personne « P1 » en double.",
            "responses.csv, ligne 4, colonne 1 : personne sans nom.",
        ],
    ),
    (KEY, "person,Q1,Q2\n", (), ["responses.csv : aucune réponse sous l’en-tête."]),
    (KEY, "person\nP1\n", (), ["responses.csv, ligne 1 : aucune question dans l’en-tête."]),
    (KEY, "", (), ["responses.csv : Le fichier est vide."]),
    (KEY, 'person,Q1,Q2\nP1,"A,B\n', (), ["responses.csv : Ligne 2 : guillemets mal fermés ou cellule démesurée."]),
    (
        "person,Q1,Q2\nE1,-1,\nE2,3,\n",
        SCRIPTS,
        ("--rule", "tcs"),
        [
            "key.csv, ligne 1, colonne 3 : aucun expert n’a répondu à « Q2 ».",
            "key.csv, ligne 3, colonne 2 : question « Q1 », « 3 » : un degré de -2 à +2 est attendu.",
        ],
    ),
]


@pytest.mark.parametrize(("key", "responses", "options", "faults"), BROKEN)
def test_broken_files_are_refused_with_the_place_of_each_error(tmp_path, key, responses, options, faults):
    (tmp_path / "key.csv").write_text(key)
    (tmp_path / "responses.csv").write_text(responses)
    with pytest.raises(CommandError) as refusal:
        run(tmp_path / "out", tmp_path / "key.csv", tmp_path / "responses.csv", *options)
    heading, *told = str(refusal.value).splitlines()
    assert heading == f"Fichiers refusés, {len(faults)} erreur(s), rien n’est écrit."
    assert told == faults
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.csv", "responses.csv"]


def files(folder, key=KEY, responses=RESPONSES):
    (folder / "key.csv").write_text(key)
    (folder / "responses.csv").write_text(responses)
    return folder / "key.csv", folder / "responses.csv"


def test_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"nulle-part\.csv"):
        run(tmp_path / "out", tmp_path / "nulle-part.csv", tmp_path / "nulle-part.csv")


def test_one_person_is_refused_for_want_of_a_spread(tmp_path):
    with pytest.raises(CommandError, match="au moins deux"):
        run(tmp_path / "out", *files(tmp_path, responses="person,Q1,Q2\nP1,A,B\n"))
    assert not (tmp_path / "out").exists()


def test_scorers_that_differ_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(second, "TRUE", None)
    with pytest.raises(CommandError, match="Les deux correcteurs divergent : personne P1, question Q1, 1 et "):
        run(tmp_path / "out", *files(tmp_path))
    assert not (tmp_path / "out").exists()


def test_results_replace_those_of_the_same_names_and_leave_other_files(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "persons.csv").write_text("old")
    (out / "notes.txt").write_text("kept")
    run(out, *files(tmp_path))
    assert (out / "persons.csv").read_text() == "person,total,rank\nP1,2,1\nP2,0.5,2\n"
    assert (out / "notes.txt").read_text() == "kept"


def test_letters_in_any_order_or_case_and_semicolons_are_read(tmp_path):
    run(tmp_path / "out", *files(tmp_path, "item;key\nQ1;a\nQ2;CB\n", "\ufeffperson;Q1;Q2\nP1; a ;cb\n=P2;;\n"))
    assert (tmp_path / "out" / "persons.csv").read_text() == "person,total,rank\nP1,2,1\n'=P2,0,2\n"


def test_panel_is_the_key_of_scripts(tmp_path):
    run(tmp_path / "out", *files(tmp_path, PANEL, SCRIPTS), "--rule", "tcs")
    assert (tmp_path / "out" / "items.csv").read_text().splitlines() == [
        "item,key,difficulty,sd,r_item_total,r_item_rest,alpha_if_deleted,p_-2,p_-1,p_0,p_1,p_2,p_blank",
        "Q1,0 1 0 1 0,0.5,0.707107,1,1,,0,0.5,0,0,0,0.5",
        "Q2,0 0 2 0 0,0.5,0.707107,1,1,,0,0,0.5,0,0.5,0",
    ]


def test_large_matrix_says_how_far_it_is(tmp_path):
    items = [f"Q{number}" for number in range(1, 101)]
    key = "item,key\n" + "".join(f"{item},A\n" for item in items)
    responses = f"person,{','.join(items)}\n" + "".join(
        f"P{n},{','.join('AB'[n % 2] for _ in items)}\n" for n in range(2_000)
    )
    told = run(tmp_path / "out", *files(tmp_path, key, responses)).splitlines()
    assert told[:2] == ["50 / 100 questions notées deux fois", "100 / 100 questions notées deux fois"]


@given(st.fractions(-100, 100))
def test_decimal_text_is_exact_when_six_decimals_hold_the_number(value):
    text = decimal_text(value)
    assert abs(Fraction(text) - value) <= Fraction(1, 2_000_000)
    assert (Fraction(text) == value) == (1_000_000 % value.denominator == 0)
