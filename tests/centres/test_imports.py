"""Files of candidates: each way to be wrong, at its place and in words, and nothing half done."""

from contextlib import suppress
from datetime import date
from io import BytesIO, StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from centres.actions.candidates import register_candidates
from centres.actions.seating import seat_candidates
from centres.exports import candidates_csv
from centres.imports import CandidatesRefused, read_candidates
from centres.models import Accommodation, Candidate
from ecni.accounts.models import Deed
from ecni.shared.csvfile import UnreadableFile, guarded, read_table, write_table
from tests.factories.centres import NOW, make_centre, make_sitting, make_staff

HEADING = "numero;nom;prenom;date_naissance;centre;tiers_temps;email;categorie"
GOOD = "C1;Martin;Zoé;2001-02-03;rennes;33;zoe@exemple.fr;"
TODAY = date(2026, 6, 1)


@pytest.fixture
def exam(db):
    make_centre("rennes", 3)
    return make_sitting().exam


def read(exam, *lines, heading=HEADING):
    return read_candidates("\n".join([heading, *lines]).encode(), exam_id=exam.pk, today=TODAY)


def problems(exam, *lines, heading=HEADING):
    with pytest.raises(CandidatesRefused) as refusal:
        read(exam, *lines, heading=heading)
    return [str(problem) for problem in refusal.value.problems]


def test_a_good_file_is_read(exam):
    line, other = read(exam, GOOD, "c2;d'Été;Jean Paul;03/02/2001;RENNES;;;CESP")
    assert (line.official_number, line.born_on, line.extra_percent) == ("C1", date(2001, 2, 3), 33)
    assert (other.official_number, other.last_name, other.centre, other.category) == ("C2", "d'Été", "rennes", "CESP")


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (";Martin;Zoé;2001-02-03;rennes;;;", "numero", "manque"),
        ("C 1;Martin;Zoé;2001-02-03;rennes;;;", "numero", "chiffres ou lettres"),
        ("C1;;Zoé;2001-02-03;rennes;;;", "nom", "manque"),
        ("C1;123;Zoé;2001-02-03;rennes;;;", "nom", "n’est pas un nom"),
        (f"C1;{'a' * 101};Zoé;2001-02-03;rennes;;;", "nom", "100 caractères"),
        ("C1;Martin;   ;2001-02-03;rennes;;;", "prenom", "manque"),
        ("C1;Martin;Zoé;2001-02-30;rennes;;;", "date_naissance", "AAAA-MM-JJ"),
        ("C1;Martin;Zoé;2/3/2001;rennes;;;", "date_naissance", "AAAA-MM-JJ"),
        ("C1;Martin;Zoé;;rennes;;;", "date_naissance", "AAAA-MM-JJ"),
        ("C1;Martin;Zoé;2025-01-01;rennes;;;", "date_naissance", "invraisemblable"),
        ("C1;Martin;Zoé;1900-01-01;rennes;;;", "date_naissance", "invraisemblable"),
        ("C1;Martin;Zoé;2001-02-03;;;;", "centre", "manque"),
        ("C1;Martin;Zoé;2001-02-03;brest;;;", "centre", "inconnu"),
        ("C1;Martin;Zoé;2001-02-03;rennes;101;;", "tiers_temps", "0 à 100"),
        ("C1;Martin;Zoé;2001-02-03;rennes;oui;;", "tiers_temps", "0 à 100"),
        ("C1;Martin;Zoé;2001-02-03;rennes;;zoe;", "email", "mal formée"),
        ("C1;Martin;Zoé;2001-02-03;rennes;;;prince", "categorie", "inconnue"),
        ('C1;=HYPERLINK("x");Zoé;2001-02-03;rennes;;;', "nom", "formule"),
        ("C1;+33;Zoé;2001-02-03;rennes;;;", "nom", "formule"),
        ("C1;-1;Zoé;2001-02-03;rennes;;;", "nom", "formule"),
        ("C1;@SUM;Zoé;2001-02-03;rennes;;;", "nom", "formule"),
        ('C1;"\tMartin";Zoé;2001-02-03;rennes;;;', "nom", "formule"),
        ("C1;Mar\x07tin;Zoé;2001-02-03;rennes;;;", "nom", "invisible"),
    ],
)
def test_a_wrong_cell_is_refused_at_its_place(exam, line, column, words):
    (problem,) = problems(exam, line)
    assert f"colonne « {column} »" in problem
    assert words in problem
    assert problem.startswith("ligne ")
    assert not Candidate.objects.exists()


def test_every_error_of_a_file_is_told_at_once(exam):
    found = problems(exam, "C1;;;2001;rennes;;;", GOOD, "C3;Durand;Ana;2001-02-03;brest;;;")
    assert [text.split(",")[0] for text in found] == ["ligne 2"] * 3 + ["ligne 4"]


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("numero;nom;prenom;date_naissance", "« centre » : «  » : colonne manquante"),
        (HEADING + ";age", "colonne inconnue"),
        (HEADING + ";nom", "colonne en double"),
        ("1;2;3", "colonne inconnue"),
    ],
)
def test_a_wrong_heading_is_refused(exam, heading, words):
    assert any(words in text for text in problems(exam, GOOD, heading=heading))


def test_too_many_cells_are_refused(exam):
    assert "cellule en trop" in problems(exam, GOOD + ";x;y")[0]


def test_duplicates_inside_the_file_name_the_first_line(exam):
    again = GOOD.replace("Martin", "Durand")
    assert problems(exam, GOOD, again) == ["ligne 3, colonne « numero » : « C1 » : déjà à la ligne 2."]
    other = GOOD.replace("C1", "C2").replace("Martin", "MÂRTIN")
    assert problems(exam, GOOD, other) == ["ligne 3, colonne « nom » : « MÂRTIN » : même personne qu’à la ligne 2."]


def test_a_person_registered_under_another_number_is_refused(exam):
    register_candidates(exam_id=exam.pk, lines=read(exam, GOOD), actor=make_staff(), now=NOW)
    assert "déjà inscrite sous le numéro C1" in problems(exam, GOOD.replace("C1", "C2"))[0]


def test_more_candidates_than_seats_are_refused(exam):
    lines = [f"C{n};Nom{n};P;2001-02-0{n};rennes;;;" for n in range(1, 5)]
    assert problems(exam, *lines) == ["Centre « rennes » : 4 candidats pour 3 places."]
    register_candidates(exam_id=exam.pk, lines=read(exam, *lines[:3]), actor=make_staff(), now=NOW)
    assert "4 candidats pour 3 places" in problems(exam, lines[3])[0]


def test_a_seated_candidate_does_not_move_by_import(exam):
    make_centre("lille", 5)
    agency = make_staff()
    register_candidates(exam_id=exam.pk, lines=read(exam, GOOD), actor=agency, now=NOW)
    seat_candidates(sitting_id=exam.sittings.get().pk, actor=agency, now=NOW)
    assert "déjà placé au centre rennes" in problems(exam, GOOD.replace("rennes", "lille"))[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (f"{HEADING}\n{GOOD}\nC2;Noël;A;2001-02-03;rennes".encode("cp1252"), "Ligne 2"),
        (f"{HEADING}\n{GOOD}".encode("utf-16"), "UTF-16"),
        (b"", "vide"),
        (b"\n\n;;\n", "vide"),
        (b"numero;nom\nC1;a\x00b", "Ligne 2"),
        (b'numero;nom\n"C1;a', "guillemets"),
        (b"PK\x03\x04 not a workbook", "illisible"),
        (b"a" * 20_000_001, "20 Mo"),
    ],
)
def test_an_unreadable_file_is_refused_in_words(exam, data, words):
    with pytest.raises(CandidatesRefused, match=words):
        read_candidates(data, exam_id=exam.pk, today=TODAY)


def test_a_byte_order_mark_commas_and_crlf_are_read(exam):
    data = f"\ufeff{HEADING}\r\n{GOOD}\r\n".replace(";", ",").encode()
    assert read_candidates(data, exam_id=exam.pk, today=TODAY)[0].last_name == "Martin"


def workbook(*rows):
    book, output = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(output)
    return output.getvalue()


def test_a_workbook_is_read_with_its_dates_and_numbers(exam):
    row = [12, "Martin", "Zoé", date(2001, 2, 3), "rennes", 33.0]
    data = workbook(HEADING.split(";")[:6], row)
    (line,) = read_candidates(data, exam_id=exam.pk, today=TODAY)
    assert (line.official_number, line.born_on, line.extra_percent) == ("12", date(2001, 2, 3), 33)


def test_a_formula_of_a_workbook_is_refused(exam):
    data = workbook(HEADING.split(";")[:5], ["C1", "=1+1", "Zoé", "2001-02-03", "rennes"])
    with pytest.raises(CandidatesRefused, match="formule"):
        read_candidates(data, exam_id=exam.pk, today=TODAY)


def test_registering_twice_changes_nothing(exam):
    agency = make_staff()
    lines = read(exam, GOOD, "C2;Durand;Ana;2001-02-03;rennes;;;")
    first = register_candidates(exam_id=exam.pk, lines=lines, actor=agency, now=NOW)
    numbers = set(Candidate.objects.values_list("number", flat=True))
    second = register_candidates(exam_id=exam.pk, lines=lines, actor=agency, now=NOW)
    assert (first.created, second.created, second.changed, second.unchanged) == (2, 0, 0, 2)
    assert set(Candidate.objects.values_list("number", flat=True)) == numbers
    assert len(numbers) == 2
    assert Deed.objects.filter(verb="register_candidates").count() == 2


def test_registering_again_corrects_by_official_number(exam):
    agency = make_staff()
    register_candidates(exam_id=exam.pk, lines=read(exam, GOOD), actor=agency, now=NOW)
    corrected = read(exam, "C1;Martín;Zoé;2001-02-04;rennes;;;militaire")
    assert register_candidates(exam_id=exam.pk, lines=corrected, actor=agency, now=NOW).changed == 1
    candidate = Candidate.objects.get()
    assert (candidate.last_name, candidate.category) == ("Martín", "MILITARY")
    assert not Accommodation.objects.exists()
    register_candidates(exam_id=exam.pk, lines=read(exam, GOOD), actor=agency, now=NOW)
    assert Accommodation.objects.get().extra_percent == 33


def test_import_command_checks_then_writes(exam, tmp_path):
    make_staff(username="agence")
    path = tmp_path / "candidats.csv"
    path.write_text(f"{HEADING}\n{GOOD}\n", encoding="utf-8")
    output = StringIO()
    call_command("import_candidates", path, exam="blanc", dry_run=True, stdout=output)
    assert "1 candidats lus" in output.getvalue()
    assert not Candidate.objects.exists()
    call_command("import_candidates", path, exam="blanc", actor="agence", stdout=output)
    assert "1 créés" in output.getvalue()
    for wrong in ({"exam": "autre"}, {"exam": "blanc", "actor": "personne"}):
        with pytest.raises(CommandError):
            call_command("import_candidates", path, **wrong)
    path.write_text(f"{HEADING}\nC1;=1;Zoé;2001-02-03;rennes;;;\n", encoding="utf-8")
    with pytest.raises(CommandError, match="ligne 2, colonne « nom »"):
        call_command("import_candidates", path, exam="blanc", actor="agence")


def test_the_export_is_read_back_by_the_import(exam):
    register_candidates(exam_id=exam.pk, lines=read(exam, GOOD), actor=make_staff(), now=NOW)
    data = candidates_csv(Candidate.objects.select_related("centre", "accommodation"))
    (line,) = read_candidates(data, exam_id=exam.pk, today=TODAY)
    assert (line.official_number, line.last_name, line.extra_percent) == ("C1", "Martin", 33)


@given(
    st.lists(
        st.lists(st.text(st.characters(blacklist_characters="\x00\r\ud800", codec="utf-8")), min_size=1), max_size=5
    )
)
def test_written_tables_hold_no_formula_and_are_read_back(rows):
    data = write_table(["a"], rows)
    for row in read_table(data):
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.cells)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(data):
    with suppress(UnreadableFile):
        assert read_table(data)


@pytest.mark.parametrize(
    ("cell", "text"), [("=1", "'=1"), (None, ""), (3, "3"), (" =1", "' =1"), (-1, "'-1"), ("ok", "ok")]
)
def test_guarded_cells(cell, text):
    assert guarded(cell) == text
