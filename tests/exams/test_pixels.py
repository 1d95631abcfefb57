"""The size of an image is read from its bytes, whatever its format; what cannot be read has none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.rules.bank import image_size

MEDIA = Path(__file__).parents[2] / "ecni" / "demo" / "bank" / "media"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
JPEG_FRAME = b"\xff\xc0\x00\x11\x08" + (480).to_bytes(2, "big") + (640).to_bytes(2, "big")
JPEG = b"\xff\xd8\xff\xe0\x00\x04AB\xff\xd0" + JPEG_FRAME
VP8 = b"RIFF....WEBPVP8 " + bytes(10) + (640).to_bytes(2, "little") + (480).to_bytes(2, "little")
VP8L = b"RIFF....WEBPVP8L" + bytes(5) + (639 | 479 << 14).to_bytes(4, "little")
VP8X = b"RIFF....WEBPVP8X" + bytes(8) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


def svg(attributes):
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><g width="3" viewBox="0 0 1 1"/></svg>'.encode()


@pytest.mark.parametrize(
    ("name", "data", "size"),
    [
        ("a.png", PNG, (640, 480)),
        ("a.jpg", JPEG, (640, 480)),
        ("a.webp", VP8, (640, 480)),
        ("a.webp", VP8L, (640, 480)),
        ("a.webp", VP8X, (640, 480)),
        ("a.svg", svg('width="800" height="600px" viewBox="0 0 1 1"'), (800, 600)),
        ("a.svg", svg('width="100%" height="600" viewBox="0 0 4 3"'), (4, 3)),
        ("a.svg", svg('viewBox="-1,-1 12.5 10"'), (5, 4)),
        ("a.svg", svg(""), None),
        ("a.svg", svg('width="0" height="10"'), None),
        ("a.svg", b"<svg", None),
        ("a.png", PNG[:20], None),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(20), None),
        ("a.jpg", JPEG[:12], None),
        ("a.jpg", b"\xff\xd8\x00\x00", None),
        ("a.webp", b"RIFF....WEBPXXXX", None),
    ],
)
def test_size_is_that_of_the_file(name, data, size):
    assert image_size(name, data) == size


@given(st.sampled_from(["png", "jpg", "webp", "svg"]), st.binary(max_size=80))
def test_any_bytes_have_a_size_or_none(extension, data):
    size = image_size(f"media/a.{extension}", b"\xff\xd8" + data if extension == "jpg" else data)
    assert size is None or min(size) > 0


@pytest.mark.parametrize("path", sorted(MEDIA.glob("zap-*.svg")), ids=lambda path: path.stem)
def test_demo_images_to_point_on_have_a_size(path):
    assert image_size(path.name, path.read_bytes()) == (800, 600)
