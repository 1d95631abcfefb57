"""Images of a bank: safe names, known formats, and drawings that can do nothing but be seen."""

import re
from collections.abc import Iterator
from xml.parsers import expat

MEDIA_BYTES = 2 * 1024 * 1024
MEDIA_NAME = re.compile(r"media/[a-z0-9][a-z0-9_-]{0,70}\.(?:svg|png|jpg|webp)")

_SIGNATURES = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_SVG_TAGS = frozenset(
    {"svg", "g", "defs", "title", "desc", "use", "symbol", "marker", "mask", "pattern", "clipPath"}
    | {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"}
    | {"linearGradient", "radialGradient", "stop", "filter", "feGaussianBlur"}
)
_SVG_NAMESPACE = "http://www.w3.org/2000/svg"
# A backslash could spell url( in another way.
_OUTSIDE_REFERENCE = re.compile(r"url\((?!#)|\\", re.IGNORECASE)


def media_faults(name: str, data: bytes) -> list[str]:
    """Why an image cannot be shown safely, in French; empty when it can."""
    if not MEDIA_NAME.fullmatch(name):
        return ["nom d’image refusé, attendu media/nom.svg, .png, .jpg ou .webp, en minuscules sans espace ni accent"]
    if len(data) > MEDIA_BYTES:
        return [f"image trop lourde, {MEDIA_BYTES // 1024} Kio au plus"]
    extension = name.rpartition(".")[2]
    if extension == "svg":
        return list(_svg_faults(data))
    return [] if _SIGNATURES[extension].match(data) else [f"le contenu n’est pas une image {extension}"]


def _svg_faults(data: bytes) -> Iterator[str]:
    if b"<!DOCTYPE" in data:
        yield "déclaration DOCTYPE non autorisée dans un dessin"
        return
    faults: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag not in _SVG_TAGS:
            faults.append(f"élément <{tag}> non autorisé dans un dessin")
        faults.extend(
            f"attribut {name} non autorisé dans un dessin"
            for name, value in attributes.items()
            if not _is_harmless(name, value)
        )

    def instruct(*_: str) -> None:
        faults.append("instruction non autorisée dans un dessin")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.ProcessingInstructionHandler = instruct
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        faults.append(f"dessin illisible, ligne {error.lineno}, colonne {error.offset + 1}")
    yield from dict.fromkeys(faults)


def _is_harmless(name: str, value: str) -> bool:
    if name == "xmlns":
        return value == _SVG_NAMESPACE
    local = name.lower().rpartition(":")[2]
    if local == "href":
        return value.startswith("#")
    return not (local.startswith("on") or local in {"style", "src"} or _OUTSIDE_REFERENCE.search(value))
