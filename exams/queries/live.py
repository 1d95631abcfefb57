"""Reads of the candidate's socket: all it needs to know of a sheet, for many sheets at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import QuerySet

from exams.enums import OfflineClock, PaperState, SheetState
from exams.models import CentreSitting, Paper, Sheet
from exams.queries.journal import replays
from exams.rules.replay import Replay

STATES = {state.value: state for state in SheetState}
"""A look-up: calling the enumeration costs as much as the rest of a row."""


@dataclass(frozen=True, slots=True)
class LiveSheet:
    """A sheet when its tablet says hello.

    `paper_id` is None while the sitting has no sealed paper; `revision` is that of the centre sitting, read at once.
    """

    sheet_id: int
    number: str
    epoch: int
    state: SheetState
    ends_at: datetime | None
    revision: int
    sitting_id: int
    sitting_title: str
    starts_at: datetime
    duration_seconds: int
    grace_seconds: int
    offline_clock: OfflineClock
    paper_id: int | None
    paper_digest: str
    paper_size: int
    progress: Replay


class SheetStatus(NamedTuple):
    """What the staff may change of a sheet while its tablet is connected; whole rooms share one."""

    state: SheetState
    epoch: int
    ends_at: datetime | None


def live_sheets(sheet_ids: Sequence[int]) -> dict[int, LiveSheet]:
    """Return the sheets asked for, by id; three queries for a sitting, whatever the number of sheets."""
    sheets = list(Sheet.objects.select_related("sitting", "centre_sitting").filter(pk__in=sheet_ids))
    sittings = {sheet.sitting_id for sheet in sheets}
    papers = {
        paper.sitting_id: paper
        for paper in Paper.objects.filter(sitting_id__in=sittings, is_reserve=False, state=PaperState.SEALED)
    }
    folded = replays(sheets)
    return {sheet.pk: _live_sheet(sheet, papers.get(sheet.sitting_id), folded[sheet.pk]) for sheet in sheets}


def _live_sheet(sheet: Sheet, paper: Paper | None, progress: Replay) -> LiveSheet:
    return LiveSheet(
        sheet_id=sheet.pk,
        number=sheet.number,
        epoch=sheet.epoch,
        state=SheetState(sheet.state),
        ends_at=sheet.ends_at,
        revision=sheet.centre_sitting.revision,
        sitting_id=sheet.sitting_id,
        sitting_title=sheet.sitting.title,
        starts_at=sheet.sitting.starts_at,
        duration_seconds=sheet.sitting.duration_seconds,
        grace_seconds=sheet.sitting.grace_seconds,
        offline_clock=OfflineClock(sheet.sitting.offline_clock),
        paper_id=paper.pk if paper else None,
        paper_digest=paper.digest if paper else "",
        paper_size=paper.size if paper else 0,
        progress=progress,
    )


def revisions(centre_sitting_ids: Sequence[int]) -> dict[int, int]:
    """Return the revision of each centre sitting: the one query that every process makes each second."""
    return dict(CentreSitting.objects.filter(pk__in=centre_sitting_ids).values_list("pk", "revision"))


def sheet_statuses(centre_sitting_ids: Sequence[int]) -> dict[int, SheetStatus]:
    """Return the status of every sheet of some centre sittings, by sheet."""
    return _statuses(Sheet.objects.filter(centre_sitting_id__in=centre_sitting_ids))


def statuses_of(sheet_ids: Sequence[int]) -> dict[int, SheetStatus]:
    """Return the status of these sheets, by sheet."""
    return _statuses(Sheet.objects.filter(pk__in=sheet_ids))


def _statuses(sheets: QuerySet[Sheet]) -> dict[int, SheetStatus]:
    alike = sheets.order_by().values_list("state", "epoch", "ends_at").annotate(pks=ArrayAgg("pk"))
    found: dict[int, SheetStatus] = {}
    for state, epoch, ends_at, pks in alike:
        found |= dict.fromkeys(pks, SheetStatus(STATES[state], epoch, ends_at))
    return found
