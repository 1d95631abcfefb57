"""Readings of results: how many a process serves in a second, and what CPU one reading costs.

`ECNI_ENV=test python -m loadtests.results [--seconds 5] [--candidates 300] [--questions 90]`: engines of its own, an
exam of generated marks, prepared pages, then readings of the page and of the PDF through the whole of Django (no
network), as many as the seconds allow. 10,000 readings in a minute are 167 a second.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

from ecni.engines import engines

NEEDED_PER_SECOND = 10_000 / 60


def main() -> None:
    """Build, prepare, read, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--candidates", type=int, default=300)
    parser.add_argument("--questions", type=int, default=90)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecni-results-") as folder:
        Path(folder).chmod(0o711)
        with engines(Path(folder)) as running:
            os.environ |= running.environment | {"ECNI_ENV": "test", "RESULTS_ROOT": f"{folder}/results"}
            os.environ["DJANGO_SETTINGS_MODULE"] = "ecni.settings"
            import django

            django.setup()
            _measure(options)


def _measure(options: argparse.Namespace) -> None:
    from django.conf import settings
    from django.core import signing
    from django.core.management import call_command
    from django.test import Client

    from centres.models import Candidate
    from ranking.views.results import COOKIE, COOKIE_SALT

    call_command("migrate", verbosity=0)
    settings.LOGGING_CONFIG = None
    exam_id, seconds = _published_exam(options)
    sys.stdout.write(
        f"préparées : {options.candidates} candidats, {1000 * seconds / options.candidates:.0f} ms de CPU chacun\n"
    )
    signer = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT)
    visits = [signer.sign(f"{exam_id}.{pk}") for pk in Candidate.objects.values_list("pk", flat=True)]
    for path in ("/resultats/copie/", "/resultats/releve.pdf"):
        client, read, size = Client(), 0, 0
        client.cookies[COOKIE] = visits[0]
        client.get(path)  # the first one loads what the others find loaded
        wall, cpu = time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < options.seconds:
            client.cookies[COOKIE] = random.choice(visits)
            answer = client.get(path)
            if answer.status_code != HTTPStatus.OK:
                sys.exit(f"{path} : {answer.status_code}")
            read, size = read + 1, size + len(answer.content)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        rate = read / wall
        sys.stdout.write(
            f"{path} : {read} lectures, {rate:.0f} par seconde et par processus, {1000 * cpu / read:.2f} ms de CPU, "
            f"{size / read / 1024:.0f} Kio ; pour 10 000 par minute : {NEEDED_PER_SECOND / rate:.2f} processus\n"
        )


def _published_exam(options: argparse.Namespace) -> tuple[int, float]:
    from ecni.accounts.enums import Role
    from tests.factories.exams import user
    from tests.factories.grading import publish, ranked_exam

    agency, jury = user("agence", Role.AGENCY), user("jury", Role.JURY)
    rng = random.Random(1)
    sittings = (
        [("QI", [("QRM", "TFTFX")])] * options.questions,
        [("DP", [("QRM", "FTFTF")]), ("LCA", [("QRU", "TFFFF")])],
    )
    answers = {
        f"K{place // 10000}-{place % 10000:04}": (
            tuple(rng.choice(("AC", "A", "ABC", "", "D")) for _ in range(options.questions)),
            ("BD", "A"),
        )
        for place in range(options.candidates)
    }
    run = ranked_exam(agency, answers, sittings=sittings)
    start = time.process_time()
    publish(run, jury, agency)
    return run.exam_id, time.process_time() - start


if __name__ == "__main__":
    main()
