"""Giving back, by the sitting's own rule, the time that a tablet spent waiting for a key without network."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from django.db import OperationalError, transaction
from django.db.models import Max
from psycopg2.errors import LockNotAvailable

from exams.actions.centre_sitting import refresh_ends, touch
from exams.actions.journal import own_centre_sitting
from exams.enums import GrantCause, OfflineClock
from exams.models import CentreSitting, Sheet, TimeGrant
from exams.queries.journal import last_received
from exams.queries.sheets import pause_spans
from exams.rules.states import LIVE_STATES
from exams.rules.timing import outage_credit

PATIENCE_MS = 1_000
"""How long a process that has tablets of every centre waits for one of them; a batch holds it until it is on disk."""

REASON = "attente sans réseau de la question suivante d’un dossier"


def credit_outages(*, waits: Mapping[int, int], now: datetime) -> frozenset[int]:
    """Credit sheets whose tablets are back; `waits` are the seconds that each says it waited, by sheet.

    Nothing is credited where the sitting lets the time run, nor twice for the same seconds. Returns the sheets of
    centre sittings that somebody else holds: their tablets have to ask again, as an act of theirs would end the wait.
    """
    stopped = Sheet.objects.filter(pk__in=waits, state__in=LIVE_STATES, sitting__offline_clock=OfflineClock.STOP)
    sheets = list(stopped.order_by("centre_sitting_id", "pk"))
    postponed: set[int] = set()
    for centre_sitting_id, group in groupby(sheets, key=lambda sheet: sheet.centre_sitting_id):
        returning = list(group)
        try:
            _credit_centre(centre_sitting_id, returning, waits, now)
        except OperationalError as error:  # the tablets of other centres do not wait for this one
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            postponed.update(sheet.pk for sheet in returning)
    return frozenset(postponed)


@transaction.atomic
def _credit_centre(centre_sitting_id: int, returning: Sequence[Sheet], waits: Mapping[int, int], now: datetime) -> None:
    own_centre_sitting(centre_sitting_id, patience_ms=PATIENCE_MS)
    sheets = list(Sheet.objects.filter(pk__in=[sheet.pk for sheet in returning], state__in=LIVE_STATES).order_by("pk"))
    if not sheets:
        return
    alive = _last_signs(centre_sitting_id, sheets)
    pauses = pause_spans(centre_sitting_id)
    credited = {sheet.pk: outage_credit(waits[sheet.pk], alive[sheet.pk], pauses, now) for sheet in sheets}
    rows = [
        TimeGrant(
            sitting_id=sheet.sitting_id,
            sheet=sheet,
            cause=GrantCause.OUTAGE,
            seconds=credited[sheet.pk],
            reason=REASON,
            granted_at=now,
        )
        for sheet in sheets
        if credited[sheet.pk]
    ]
    if not rows:
        return
    TimeGrant.objects.bulk_create(rows)
    refresh_ends(centre_sitting_id=centre_sitting_id, now=now)
    touch(centre_sitting_id)


def _last_signs(centre_sitting_id: int, sheets: Sequence[Sheet]) -> dict[int, datetime]:
    """Since when a tablet may have been alone: its last op, its last credit, or the opening, whichever is last."""
    ids = [sheet.pk for sheet in sheets]
    opened_at = CentreSitting.objects.values_list("opened_at", flat=True).get(pk=centre_sitting_id)
    received = last_received(sheets[0].sitting_id, ids)
    outages = TimeGrant.objects.filter(sheet_id__in=ids, cause=GrantCause.OUTAGE)
    latest = dict(outages.values_list("sheet_id").annotate(Max("granted_at")))
    return {pk: max(filter(None, (opened_at, received.get(pk), latest.get(pk)))) for pk in ids}
