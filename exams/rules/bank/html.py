"""The little HTML that a bank may hold. The rest is refused, never cleaned: the author sees it and decides."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

INLINE_TAGS = frozenset({"strong", "em", "sub", "sup", "br"})
TEXT_TAGS = INLINE_TAGS | {"p", "ul", "ol", "li", "table", "tr", "th", "td"}
ARTICLE_TAGS = TEXT_TAGS | {"h1", "h2", "h3", "section", "figure", "figcaption", "img", "thead", "tbody"}
ENTITIES = frozenset({"amp", "lt", "gt", "quot", "nbsp"})
FAULTS_SHOWN = 50

_VOID = frozenset({"br", "img"})
_PARENTS = {
    "li": {"ul", "ol"},
    "tr": {"table", "thead", "tbody"},
    "th": {"tr"},
    "td": {"tr"},
    "thead": {"table"},
    "tbody": {"table"},
    "figcaption": {"figure"},
}
_INLINE_ONLY = frozenset({"p", "strong", "em", "sub", "sup", "h1", "h2", "h3"})
_ATTRIBUTES = {
    "th": {"scope": re.compile("col|row"), "colspan": re.compile("[1-9]"), "rowspan": re.compile("[1-9]")},
    "td": {"colspan": re.compile("[1-9]"), "rowspan": re.compile("[1-9]")},
    "img": {"src": re.compile(".+"), "alt": re.compile(".+", re.DOTALL)},
}
# Stricter than any browser: what passes is read in the same way by all of them.
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?: [a-z]+=\"[^\"<>]*\")*>")
_TAG_OR_SIGN = re.compile(f"{_TAG.pattern}|<")


@dataclass(frozen=True, slots=True)
class Image:
    """An `img` met in an article."""

    source: str
    alt: str


def html_faults(html: str, allowed: Container[str] = TEXT_TAGS) -> list[str]:
    """What is wrong with a piece of HTML, in French; empty when it may be shown."""
    reader = _read(html, allowed)
    faults = [*_malformed(html), *reader.faults, *(f"balise <{tag}> jamais fermée" for tag in reader.open_tags)]
    if len(faults) > FAULTS_SHOWN:
        return [*faults[:FAULTS_SHOWN], f"et {len(faults) - FAULTS_SHOWN} autres fautes dans ce texte"]
    return faults


def images(html: str) -> list[Image]:
    """The images of an article, in reading order."""
    return _read(html, ARTICLE_TAGS).images


def _malformed(html: str) -> Iterator[str]:
    for line, text in enumerate(html.split("\n"), start=1):
        rest = _TAG.sub("", text)
        if "<" in rest:
            excerpt = rest[rest.index("<") :][:20]
            yield f"signe < isolé ou balise mal écrite, ligne {line} ({excerpt})"


def _read(html: str, allowed: Container[str]) -> "_Reader":
    """Read the well-written tags only: any other `<` is text, so that no hostile markup is ever parsed."""
    reader = _Reader(allowed)
    reader.feed(_TAG_OR_SIGN.sub(lambda match: match.group() if len(match.group()) > 1 else "&lt;", html))
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Collects faults and images. Character references stay as written, so that a decoded `<` is never a tag."""

    def __init__(self, allowed: Container[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.allowed = allowed
        self.open_tags: list[str] = []
        self.faults: list[str] = []
        self.images: list[Image] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.allowed:
            self.faults.append(f"balise <{tag}> non autorisée")
        else:
            self.faults.extend(_misplaced(tag, self.open_tags))
            self.faults.extend(_attribute_faults(tag, attrs))
        if tag == "img":
            given = dict(attrs)
            self.images.append(Image(given.get("src") or "", given.get("alt") or ""))
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open_tags:
            self.faults.append(f"balise </{tag}> qui ne ferme rien")
            return
        if self.open_tags[-1] != tag:
            self.faults.append(f"balise </{tag}> alors que <{self.open_tags[-1]}> reste ouverte")
        while self.open_tags.pop() != tag:
            pass

    def handle_entityref(self, name: str) -> None:
        if name not in ENTITIES:
            self.faults.append(f"signe & isolé ou caractère &{name}; à écrire directement")


def _misplaced(tag: str, open_tags: list[str]) -> Iterator[str]:
    parent = open_tags[-1] if open_tags else ""
    if tag in _PARENTS and parent not in _PARENTS[tag]:
        yield f"balise <{tag}> hors de <{'> ou <'.join(sorted(_PARENTS[tag]))}>"
    elif parent in _INLINE_ONLY and tag not in INLINE_TAGS:
        yield f"balise <{tag}> impossible dans <{parent}>"


def _attribute_faults(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    rules = _ATTRIBUTES.get(tag, {})
    names = [name for name, _ in attrs]
    for name, value in attrs:
        if name not in rules or names.count(name) > 1:
            yield f"attribut {name} non autorisé dans <{tag}>"
        elif not rules[name].fullmatch(value or ""):
            yield f"attribut {name} de <{tag}> mal rempli"
    if tag == "img":
        yield from (f"attribut {name} manquant dans <img>" for name in rules if name not in names)
