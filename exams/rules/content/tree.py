"""The little HTML of the bank as a tree of plain values, for those who print it: nothing is checked here."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"br", "img"})
_BLOCKS = frozenset({"article", "section", "ul", "ol", "table", "thead", "tbody", "tr", "figure"})


@dataclass(slots=True)
class Node:
    """One element.

    Attributes:
        tag: its name; `article` for the root.
        attributes: as written.
        children: elements and texts, in order; spaces between blocks are left out.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)


def html_tree(html: str) -> Node:
    """Read HTML that the bank has taken (`exams.rules.bank.html_faults` found nothing in it)."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("article")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() or self._open[-1].tag not in _BLOCKS:
            self._open[-1].children.append(data)
