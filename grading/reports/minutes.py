"""Minutes on paper: the signed content is given to Typst as JSON, never written into its source; the PDF is tagged."""

import json

import typst
from django.conf import settings

from grading.models import Minutes
from grading.queries.minutes import french

TEMPLATE = settings.BASE_DIR / "templates" / "grading" / "minutes.typ"


def minutes_document(minutes: Minutes) -> bytes:
    """Return the PDF of signed minutes."""
    data = {
        "content": minutes.content,
        "digest": minutes.digest,
        "signed_by": str(minutes.signed_by),
        "signed_at": french(minutes.signed_at),
    }
    document: bytes = typst.compile(
        TEMPLATE.read_bytes(), sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, format="pdf"
    )
    return document
