"""The rules of ranking, pure and exact: order, ties, canonical bytes, and the words that explain them."""

from ranking.rules.canonical import canonical_bytes, digest
from ranking.rules.order import (
    DEFAULT_TIE_KEYS,
    Comparison,
    Decision,
    Direction,
    InvalidRanking,
    Ranked,
    Row,
    TieKey,
    TieSource,
    rank,
    ties,
)
from ranking.rules.words import distinct_texts, key_text, points_text, sentence

__all__ = [
    "DEFAULT_TIE_KEYS",
    "Comparison",
    "Decision",
    "Direction",
    "InvalidRanking",
    "Ranked",
    "Row",
    "TieKey",
    "TieSource",
    "canonical_bytes",
    "digest",
    "distinct_texts",
    "key_text",
    "points_text",
    "rank",
    "sentence",
    "ties",
]
