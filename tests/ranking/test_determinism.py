"""The same bytes whoever computes: other order, other sharding, other locale, other hash seed, another process."""

import os
import random
import subprocess
import sys
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from centres.models import Candidate
from ecni.accounts.enums import Role
from ranking.actions.computing import compute_ranking, ranking_digest
from ranking.models import RankingRun
from ranking.queries.rows import ranking_inputs
from tests.factories.exams import NOW, make_exam, user
from tests.factories.grading import BLANK, PERFECT, mark_exam, ranked_exam, register

PAPERS = (PERFECT, BLANK, (PERFECT[0], BLANK[1]), (BLANK[0], PERFECT[1]), (PERFECT[0], None))
ANSWERS = {f"K2-{place:04}": PAPERS[place % len(PAPERS)] for place in range(1, 24)}


def exam_of(agency, slug, order, chunk_sheets):
    exam = make_exam(slug=slug)
    born = {number: NOW.date().replace(year=2000, day=1 + place % 9) for place, number in enumerate(sorted(ANSWERS))}
    register(exam, {number: born[number] for number in order})
    mark_exam(exam, agency, {number: ANSWERS[number] for number in order}, chunk_sheets=chunk_sheets)
    return compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)


@pytest.mark.django_db
def test_order_of_the_rows_and_sharding_change_no_byte():
    agency = user("agence", Role.AGENCY)
    shuffled = random.Random(7).sample(sorted(ANSWERS), len(ANSWERS))
    first = exam_of(agency, "un", sorted(ANSWERS), 1000)
    second = exam_of(agency, "deux", shuffled, 3)
    assert second.marking_runs.first().chunks.count() > first.marking_runs.first().chunks.count()
    assert first.digest == second.digest


@pytest.mark.django_db(transaction=True)
def test_locale_hash_seed_and_process_change_no_byte():
    run = ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    database = connection.settings_dict
    url = f"postgresql://ecni@/{database['NAME']}?host={quote(database['HOST'])}"
    found = set()
    for locale, seed in (("C", "0"), ("tr_TR.UTF-8", "1"), ("fr_FR.UTF-8", "4242")):
        done = subprocess.run(
            [sys.executable, "manage.py", "verify_ranking", "--exam", "blanc"],
            env=os.environ | {"DATABASE_URL": url, "LC_ALL": locale, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            capture_output=True,
            text=True,
            check=True,
        )
        found |= {line.split()[0] for line in done.stdout.splitlines()}
    assert found == {run.digest}


@pytest.mark.django_db
def test_commands_print_the_digest(capsys):
    ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    call_command("compute_ranking", exam="blanc", actor="agence")
    run = RankingRun.objects.latest("pk")
    assert capsys.readouterr().out == f"{run.digest}  classement {run.pk}\n"
    call_command("verify_ranking", exam="blanc")
    assert capsys.readouterr().out == f"{run.digest}  classement {run.pk}\n{run.digest}  recalculé\n"


@pytest.mark.django_db
def test_a_ranking_is_verified_by_what_it_was_made_from(capsys):
    run = ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    Candidate.objects.filter(number="K2-0001").update(standing="WITHDRAWN")
    assert ranking_digest(ranking_inputs(run.exam_id)) != run.digest
    call_command("verify_ranking", exam="blanc")
    out = capsys.readouterr().out
    assert out.startswith(f"{run.digest}  classement {run.pk}\n{run.digest}  recalculé\n")
    assert "Un classement calculé aujourd’hui serait autre : les notations" in out


@pytest.mark.django_db
def test_a_date_of_birth_changed_since_is_named():
    ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    Candidate.objects.filter(number="K2-0001").update(born_on=NOW.date())
    with pytest.raises(CommandError, match="une date de naissance"):
        call_command("verify_ranking", exam="blanc")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE ranking_rankedsheet SET total = total + 1 WHERE position = 1", "Les places conservées"),
        ("UPDATE ranking_rankedsheet SET parts = '{}' WHERE position = 1", "Les places conservées"),
        ("UPDATE ranking_rankedsheet SET tie = NULL", "Les places conservées"),
        ("DELETE FROM ranking_rankedsheet WHERE position = 2", "ne sont plus dans ce classement : K2-"),
        ("DELETE FROM ranking_rankingrun_marking_runs", "n’y sont plus"),
        ("UPDATE grading_sheetmark SET points = set_byte(points, 0, get_byte(points, 0) + 1)", "Les notes conservées"),
        ("UPDATE ranking_rankingrun SET rules_version = 'autre'", "Il suit les règles autre"),
    ],
)
def test_whatever_is_touched_past_the_triggers_is_named(statement, words):
    ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(CommandError, match=words):
        call_command("verify_ranking", exam="blanc")


@pytest.mark.django_db
def test_what_a_ranking_was_made_from_only_grows():
    run = ranked_exam(user("agence", Role.AGENCY), ANSWERS)
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        run.marking_runs.clear()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("compute_ranking", {"exam": "rien", "actor": "agence"}, "Aucun examen"),
        ("compute_ranking", {"exam": "blanc", "actor": "personne"}, "Aucun compte"),
        ("compute_ranking", {"exam": "blanc", "actor": "agence"}, "n’est pas notée"),
        ("verify_ranking", {"exam": "rien"}, "Aucun examen"),
        ("verify_ranking", {"exam": "blanc"}, "Aucun classement"),
    ],
)
def test_command_that_cannot_work_says_why(command, options, words):
    user("agence", Role.AGENCY)
    make_exam()
    with pytest.raises(CommandError, match=words):
        call_command(command, **options)
