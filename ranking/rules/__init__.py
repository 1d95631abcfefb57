"""The rules of ranking, pure and exact: order, ties, canonical bytes, and the words that explain them."""

from ranking.rules.canonical import canonical_bytes, digest
from ranking.rules.lots import lot
from ranking.rules.order import (
    DEFAULT_TIE_KEYS,
    LOT_KEY,
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
from ranking.rules.policy import Policy, policy_from_json, policy_to_json, treated
from ranking.rules.words import distinct_texts, key_text, own_sentence, points_text, sentence

__all__ = [
    "DEFAULT_TIE_KEYS",
    "LOT_KEY",
    "Comparison",
    "Decision",
    "Direction",
    "InvalidRanking",
    "Policy",
    "Ranked",
    "Row",
    "TieKey",
    "TieSource",
    "canonical_bytes",
    "digest",
    "distinct_texts",
    "key_text",
    "lot",
    "own_sentence",
    "points_text",
    "policy_from_json",
    "policy_to_json",
    "rank",
    "sentence",
    "ties",
    "treated",
]
