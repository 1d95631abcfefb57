"""When two short open answers are the same text: the comparison that QROC keys and answers go through."""

import re
import unicodedata

_ONE_FORM = str.maketrans({"œ": "oe", "æ": "ae", "\N{MINUS SIGN}": "-", "\N{MODIFIER LETTER APOSTROPHE}": "'"})
_ARTICLE = re.compile(r"^(?:de la|de l|les?|la|l|une?|des|du) (?=.)")
_MINUS = re.compile(r"(?<!\w)-(?=\d)")


def normalised(text: str) -> str:
    """Return what is compared of a short open answer (edition `qroc/1`).

    Case, accents, ligatures, punctuation, repeated spaces and one leading article do not count. Symbols that carry
    a meaning stay: `+`, `<`, a minus sign before a digit.

    Source: restatement of the R2C rules in `docs/scoring.md`; the official wording on spelling was not read, so
    every answer that is in no list goes to people.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(character for character in folded.translate(_ONE_FORM) if not _is_silent(character))
    signed = _MINUS.sub("\N{MINUS SIGN}", bare)
    words = "".join(character if _is_told(character) else " " for character in signed).split()
    return _ARTICLE.sub("", " ".join(words))


def _is_silent(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "M" or category == "Cf"


def _is_told(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNS"
