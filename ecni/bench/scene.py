"""A national exam for benchmarks: 35 centres, a sealed paper, slips, and sheets put in bulk into a state."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import F

from ecni.accounts.models import User
from ecni.supervisor import ROOT
from exams.actions.centre_sitting import open_sitting
from exams.enums import CentreSittingState, QuestionKind, SheetState
from exams.models import CentreSitting, Sheet
from exams.queries.clock import database_now
from exams.queries.papers import main_paper, paper_shapes
from exams.tickets import COOKIE, Ticket, mint_ticket

LETTERED = frozenset({QuestionKind.QRU, QuestionKind.QRM})

ACTS = """
INSERT INTO exams_journalentry (sitting_id, sheet_id, seq, epoch, kind, question, value, made_at, received_at, digest)
SELECT sitting_id, id, seq, 1, 1, asked[1 + seq %% array_length(asked, 1)], 'A', 1780000000000 + seq, now(),
    sha256(convert_to(id || '|' || seq, 'UTF8'))
FROM (SELECT id, sitting_id FROM exams_sheet WHERE sitting_id = %s ORDER BY number LIMIT %s) AS sheet,
    generate_series(1, %s) AS seq, (SELECT %s::int[] AS asked) AS paper"""


class Scene:
    """The first sitting of a prepared exam."""

    def __init__(self, folder: Path, candidates: int) -> None:
        """Prepare an exam of so many candidates, as the demonstration does."""
        path = folder / "guide.json"
        command = [sys.executable, "manage.py", "prepare_demo", "--candidates", str(candidates), "--guide", str(path)]
        subprocess.run(command, cwd=ROOT, env=os.environ, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- ours
        self._guide: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self.sitting_id: int = self._guide["sitting"]
        self._slips = (slip["code"] for centre in self._guide["centres"] for slip in centre["slips"])

    @property
    def questions(self) -> list[int]:
        """Numbers of the questions of the paper that take one letter and that everybody may answer at once."""
        shapes = paper_shapes(main_paper(self.sitting_id).pk)
        return [number for number, shape in shapes.items() if shape.kind in LETTERED and not shape.is_progressive]

    def cookies(self, count: int) -> list[str]:
        """Return what the browsers of the first so many candidates hold, centres mixed."""
        sheets = Sheet.objects.filter(sitting_id=self.sitting_id).order_by("number")[:count]
        held = [Ticket(s.pk, s.epoch, s.centre_sitting_id, s.sitting_id, s.number) for s in sheets]
        return [f"{COOKIE}={mint_ticket(ticket)}" for ticket in held]

    def slip_codes(self, count: int) -> list[str]:
        """Return the codes of so many slips that nobody has used.

        Raises:
            RuntimeError: there are not as many left.
        """
        codes = list(islice(self._slips, count))
        if len(codes) < count:
            raise RuntimeError(f"Il reste {len(codes)} coupons sur les {count} voulus : plus de --candidates.")
        return codes

    def set_lobby(self) -> None:
        """Put every sheet into the lobby, admitted, without any act."""
        self._set(CentreSittingState.LOBBY, SheetState.ADMITTED, hours=None)

    def set_open(self, acts: int = 0, among: int | None = None) -> None:
        """Have every sheet compose, with so many acts for the first `among` by number, or for all."""
        self._set(CentreSittingState.OPEN, SheetState.COMPOSING, hours=3)
        if acts:
            with connection.cursor() as cursor:
                cursor.execute(ACTS, [self.sitting_id, among, acts, self.questions])
                cursor.execute(f"VACUUM ANALYZE exams_journalentry_s{self.sitting_id}")

    def act_bytes(self) -> float:
        """Return the bytes of the journal that an act takes, index included; 0 while it is empty."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_total_relation_size(%s::regclass)::float / count(*) FROM exams_journalentry"
                " WHERE sitting_id = %s HAVING count(*) > 0",
                [f"exams_journalentry_s{self.sitting_id}", self.sitting_id],
            )
            return float(sum(size for (size,) in cursor.fetchall()))

    def open(self) -> None:
        """Open every centre, as the agency does."""
        open_sitting(sitting_id=self.sitting_id, actor=User.objects.get(username="agence"), now=database_now())

    def _set(self, centre_state: CentreSittingState, state: SheetState, hours: int | None) -> None:
        now = database_now()
        ends_at = None if hours is None else now + timedelta(hours=hours)
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE exams_journalentry_s{self.sitting_id}")
        Sheet.objects.filter(sitting_id=self.sitting_id).update(
            state=state, admitted_at=now, submitted_at=None, ends_at=ends_at
        )
        CentreSitting.objects.filter(sitting_id=self.sitting_id).update(
            state=centre_state, opened_at=None if hours is None else now, revision=F("revision") + 1
        )
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE exams_sheet")
