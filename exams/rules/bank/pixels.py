"""How wide and how high an image is, read from its bytes: zones are in per cent, and circles round on the screen."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from xml.parsers import expat

_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)(?:px)?\s*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})

Size = tuple[int, int]


def image_size(name: str, data: bytes) -> Size | None:
    """Return the width and the height of an image, as its file has it: in pixels, or in any one unit for a drawing.

    The turn that metadata may ask of a photograph is left out, as on the tablet. None when they cannot be read.
    """
    try:
        found = _READERS[name.rpartition(".")[2]](data)
    except (IndexError, ValueError, expat.ExpatError):
        return None
    return found if found and min(found) > 0 else None


def _png(data: bytes) -> Size | None:
    return (_big(data[16:20]), _big(data[20:24])) if data[12:16] == b"IHDR" else None


def _jpeg(data: bytes) -> Size | None:
    """Walk the segments to the frame header: 0xFF, marker, length of 2 bytes, precision, height, width."""
    at = 2
    while data[at] == 0xFF:  # noqa: PLR2004 -- the first byte of a marker
        marker = data[at + 1]
        if marker in _JPEG_FRAMES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        at += 2 if marker in _JPEG_BARE else 2 + _big(data[at + 2 : at + 4])
    return None


def _webp(data: bytes) -> Size | None:
    match data[12:16]:
        case b"VP8X":
            return 1 + _little(data[24:27]), 1 + _little(data[27:30])
        case b"VP8L":
            bits = _little(data[21:25])
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
        case _:
            return None


def _svg(data: bytes) -> Size | None:
    """The size a browser gives the drawing: its `width` and `height`, else the proportions of its `viewBox`."""
    root: dict[str, str] = {}
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda _tag, attributes: root or root.update(attributes)
    parser.Parse(data, True)
    lengths = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    if all(lengths):
        return _whole(*(found[1] for found in lengths if found))
    box = root.get("viewBox", "").replace(",", " ").split()
    return _whole(*box[2:]) if len(box) == 4 and all(map(_NUMBER.fullmatch, box[2:])) else None  # noqa: PLR2004 -- x, y, width, height


def _whole(width: str, height: str) -> Size | None:
    sides = Fraction(width), Fraction(height)
    if all(side.denominator == 1 for side in sides):
        return sides[0].numerator, sides[1].numerator
    return (sides[0] / sides[1]).as_integer_ratio() if sides[1] else None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_READERS: Mapping[str, Callable[[bytes], Size | None]] = {"png": _png, "jpg": _jpeg, "webp": _webp, "svg": _svg}
