"""Preparing the pages of a publication in the background. A message lost or repeated does no harm: pages are whole."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial

from celery import shared_task
from django.db import transaction

from centres.models import Candidate
from ecni.accounts.models import User
from exams.queries.timeline import timelines
from ranking.actions.pages import forget_pages, store_page
from ranking.actions.preparing import start_preparation
from ranking.exports import official_csv, official_xlsx
from ranking.models import RankingRun
from ranking.queries.official import Anonymous, official_rows
from ranking.queries.pages import OFFICIAL_KINDS, OFFICIAL_OWNER, RESULTS, TRANSCRIPT, copy_kind, run_owners
from ranking.queries.publication import lifted_ranking
from ranking.queries.results import Register, Sheets, marked_sheets, register_of, summary_of
from ranking.reports import CopyWriter, day_text, official_pdf, transcript_pdf

OWNERS_PER_TASK = 500
OWNERS_AT_ONCE = 50
"""Candidates whose sheets are read by one statement."""


def launch_preparation(*, run_id: int, actor: User, now: datetime, reason: str) -> None:
    """Have every page of a ranking prepared, anew if asked again; raises what `start_preparation` does."""
    with transaction.atomic():
        run = start_preparation(run_id=run_id, actor=actor, now=now, reason=reason)
        transaction.on_commit(partial(forget_pages, run))
        owners = run_owners(run)
        for start in range(0, len(owners), OWNERS_PER_TASK):
            ids = owners[start : start + OWNERS_PER_TASK]
            transaction.on_commit(partial(prepare_copies.delay, run_id=run_id, candidate_ids=ids), robust=True)
        transaction.on_commit(partial(prepare_official_list.delay, run_id=run_id), robust=True)


@shared_task(acks_late=True)
def prepare_official_list(*, run_id: int) -> None:
    """Write the official list in each of its formats."""
    with _lifted(run_id) as run:
        rows = official_rows(run)
        contents = (
            official_csv(rows),
            official_xlsx(rows),
            official_pdf(run.exam.name, rows, issued_on=day_text(run.created_at), digest=run.digest),
        )
        for kind, content in zip(OFFICIAL_KINDS, contents, strict=True):
            store_page(run_id=run_id, owner_id=OFFICIAL_OWNER, kind=kind, content=content)


@shared_task(acks_late=True)
def prepare_copies(*, run_id: int, candidate_ids: Sequence[int]) -> None:
    """Write the pages of some candidates."""
    with _lifted(run_id) as run:
        register = register_of(run)
        writers = {number: CopyWriter(book) for number, book in register.books.items()}
        for start in range(0, len(candidate_ids), OWNERS_AT_ONCE):
            candidates = list(Candidate.objects.filter(pk__in=candidate_ids[start : start + OWNERS_AT_ONCE]))
            for candidate, kind, content in _pages(register, writers, candidates):
                store_page(run_id=run_id, owner_id=candidate.pk, kind=kind, content=content)


@contextmanager
def _lifted(run_id: int) -> Iterator[RankingRun]:
    """Give a ranking whose pages may be written; none of them stays if it was taken back before the end.

    Raises:
        Anonymous: its anonymity was not lifted, or it was taken back.
    """
    run = RankingRun.objects.select_related("exam").get(pk=run_id)
    try:
        if lifted_ranking(run.exam_id) != run:
            raise Anonymous
        yield run
    finally:
        if lifted_ranking(run.exam_id) != run:
            forget_pages(run)


def _pages(
    register: Register, writers: dict[int, CopyWriter], candidates: Sequence[Candidate]
) -> Iterator[tuple[Candidate, str, bytes]]:
    numbers = [candidate.number for candidate in candidates]
    sheets = {number: marked_sheets(book, numbers) for number, book in register.books.items()}
    acts = {number: timelines(book.sitting.pk, numbers) for number, book in register.books.items()}
    places = {place.number: place for place in register.run.places.filter(number__in=numbers)}
    for candidate in candidates:
        own: Sheets = {at: found[candidate.number] for at, found in sheets.items() if candidate.number in found}
        summary = summary_of(register, candidate, places.get(candidate.number), own)
        lines: list[dict[str, str]] = []
        for number, writer in writers.items():
            html, written = writer.write(own.get(number), acts[number].get(candidate.number, []))
            lines += written
            yield candidate, copy_kind(number), html.encode()
        sittings = [{"number": at, "title": book.sitting.title} for at, book in register.books.items()]
        data = {"summary": asdict(summary), "sittings": sittings, "lines": lines}
        yield candidate, RESULTS, json.dumps(data, ensure_ascii=False).encode()
        issued_on = day_text(register.run.created_at)
        yield candidate, TRANSCRIPT, transcript_pdf(summary, issued_on=issued_on, digest=register.run.digest)
