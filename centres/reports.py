"""Slips on paper: the data is given to Typst as JSON, never written into its source, and the PDF is tagged."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime

from centres.models import Hosting
from centres.queries.slips import PrintedSlip
from centres.rules.codes import grouped

TEMPLATE = settings.BASE_DIR / "templates" / "centres" / "slips.typ"


def slips_document(hosting: Hosting, slips: Iterable[PrintedSlip], base_url: str) -> bytes:
    """Return the PDF of some slips, one page each, in the order given.

    Args:
        hosting: the centre and the sitting.
        slips: what each page says.
        base_url: public address of the house, with its last slash.
    """
    starts_at = localtime(hosting.sitting.starts_at)
    data = {
        "centre": hosting.centre.name,
        "sitting": hosting.sitting.title,
        "date": f"{date_format(starts_at, 'l j F Y')}, {starts_at:%H h %M}",
        "entry_url": f"{base_url}entrer/",
        "results_url": f"{base_url}resultats/",
        "slips": list(_pages(slips, base_url)),
    }
    document: bytes = typst.compile(
        TEMPLATE.read_bytes(), sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, format="pdf"
    )
    return document


def entry_url(base_url: str, code: str) -> str:
    """Return what a slip's QR says: the code is in the fragment, that no server and no log ever sees."""
    return f"{base_url}entrer/#{code}"


def _pages(slips: Iterable[PrintedSlip], base_url: str) -> Iterator[dict[str, Any]]:
    for slip in slips:
        url = entry_url(base_url, slip.code)
        yield {
            "room": slip.room,
            "seat": str(slip.seat_number),
            "number": slip.number,
            "code": grouped(slip.code),
            "results_code": grouped(slip.results_code),
            "qr": segno.make(url, error="m", micro=False).svg_inline(border=0, scale=1, omitsize=True),
        }
