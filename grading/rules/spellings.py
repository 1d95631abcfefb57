"""Short open answers that are in no list: grouped, compared to the lists, settled by two people."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from grading.enums import SpellingCategory
from grading.rules.keys import QrocKey
from grading.rules.texts import normalised

CLOSE = 0.72
"""Least likeness (`difflib.SequenceMatcher.ratio`, from 0 to 1) of a spelling that is suggested."""


@dataclass(frozen=True, slots=True)
class Group:
    """The copies that gave the same answer once normalised.

    Attributes:
        form: the normalised text.
        text: its most frequent spelling; the first in alphabetical order among equals.
        copies: how many gave it.
    """

    form: str
    text: str
    copies: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The listed answer that a group looks like, and how much, from 0 to 1. It proposes and decides nothing."""

    text: str
    category: SpellingCategory
    likeness: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person said of a spelling, in one round."""

    round: int
    category: SpellingCategory
    given_by: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a spelling stands.

    Attributes:
        settled: the list that two people put it in; None while they have not.
        pending: the opinion that waits for a second one.
        contradicted: the two opinions of the last round, when they differ and nobody has spoken since.
    """

    settled: SpellingCategory | None = None
    pending: Opinion | None = None
    contradicted: tuple[SpellingCategory, ...] = ()

    def round(self, opinions: Sequence[Opinion]) -> int:
        """Return the round that the next opinion belongs to, from 1."""
        last = max((opinion.round for opinion in opinions), default=0)
        return last if self.pending else last + 1


def standing(opinions: Iterable[Opinion]) -> Standing:
    """Fold the opinions on one spelling, given in their order."""
    rounds: defaultdict[int, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        rounds[opinion.round].append(opinion)
    if not rounds:
        return Standing()
    last = rounds[max(rounds)]
    if len(last) == 1:
        return Standing(pending=last[0])
    first, second = (opinion.category for opinion in last)
    return Standing(settled=first) if first == second else Standing(contradicted=(first, second))


def unlisted_groups(values: Iterable[str], key: QrocKey) -> list[Group]:
    """Return the answers that are in no list of the key, the most frequent first; blanks are left out."""
    listed = {normalised(text) for text in (*key.exact, *key.acceptable, *key.refused)}
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text, copies in Counter(values).items():
        form = normalised(text)
        if form and form not in listed:
            spellings[form][text] += copies
    groups = [
        Group(form, min(texts, key=lambda text: (-texts[text], text)), texts.total())
        for form, texts in spellings.items()
    ]
    return sorted(groups, key=lambda group: (-group.copies, group.form))


def suggestion(form: str, key: QrocKey) -> Suggestion | None:
    """Return the listed answer most like a normalised text, or None when none is close.

    Likeness is that of `difflib.SequenceMatcher` on normalised texts, the listed one second, without its heuristic
    for frequent characters; equal likenesses are ordered by list (exact first), then by text.
    """
    lists: Mapping[SpellingCategory, frozenset[str]] = {
        SpellingCategory.EXACT: key.exact,
        SpellingCategory.ACCEPTABLE: key.acceptable,
        SpellingCategory.WRONG: key.refused,
    }
    best: Suggestion | None = None
    for category, texts in lists.items():
        for text in sorted(texts):
            matcher = SequenceMatcher(None, form, normalised(text), autojunk=False)
            if matcher.quick_ratio() < CLOSE:
                continue
            likeness = matcher.ratio()
            if likeness >= CLOSE and (best is None or likeness > best.likeness):
                best = Suggestion(text, category, likeness)
    return best
