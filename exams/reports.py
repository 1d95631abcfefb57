"""QR codes that leave the house on paper or in a candidate's telephone."""

from io import BytesIO

import segno

QUIET_MODULES = 4


def qr_svg(text: str) -> str:
    """Return the QR of a text as an SVG, dark on light whatever the theme of the page, that fills its frame."""
    picture = BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", border=QUIET_MODULES, light="#fff", omitsize=True, xmldecl=False, nl=False
    )
    return picture.getvalue().decode()
