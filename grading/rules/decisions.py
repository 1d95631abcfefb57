"""The jury's decisions as data: what is in force over the questions of an exam, folded from what was adopted.

The texts frozen with a run (`Adopted.data`) are all that marking needs: it reads no vote and no session.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content import AcceptedAnswers, Circle, Point, Polygon, QuestionContent, Zone
from grading.enums import NeutralisationMode, ProposalKind, SpellingCategory
from grading.rules.keys import ChoiceKey, InvalidKey, Key, QrocKey, TcsKey, ZapKey, ensure_key
from grading.rules.texts import normalised

KeyData = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Adopted:
    """One adopted decision.

    Attributes:
        kind: what it does; None for a spelling that two people settled.
        paper_id, questions: the questions, by their numbers in that paper.
        mode: of a neutralisation.
        key: the new key, as `key_data` writes it.
        spelling: a short open answer and the list that it was put in.
    """

    kind: ProposalKind | None
    paper_id: int
    questions: tuple[int, ...]
    mode: NeutralisationMode | None = None
    key: KeyData | None = None
    spelling: tuple[str, SpellingCategory] | None = None

    def data(self) -> dict[str, Any]:
        """Return the decision as plain values, ready to be stored and digested; equal decisions, equal values."""
        return {
            "kind": self.kind.value if self.kind else None,
            "paper": self.paper_id,
            "questions": list(self.questions),
            "mode": self.mode.value if self.mode else None,
            "key": dict(self.key) if self.key is not None else None,
            "spelling": [self.spelling[0], self.spelling[1].value] if self.spelling else None,
        }


def adopted_from(data: Mapping[str, Any]) -> Adopted:
    """Return the decision that `Adopted.data` wrote."""
    spelling = data["spelling"]
    return Adopted(
        kind=ProposalKind(data["kind"]) if data["kind"] else None,
        paper_id=data["paper"],
        questions=tuple(data["questions"]),
        mode=NeutralisationMode(data["mode"]) if data["mode"] else None,
        key=data["key"],
        spelling=(spelling[0], SpellingCategory(spelling[1])) if spelling else None,
    )


@dataclass(slots=True)
class Effect:
    """What is in force over one paper.

    Attributes:
        dropped, given: questions neutralised, in either mode.
        keys: new keys, by question.
        spellings: short open answers settled by people, with their lists, by question.
    """

    dropped: set[int] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    keys: dict[int, KeyData] = field(default_factory=dict)
    spellings: dict[int, list[tuple[str, SpellingCategory]]] = field(default_factory=dict)

    def key_under(self, number: int, kind: QuestionKind, key: Key) -> Key:
        """Return the key that counts for a question whose paper holds `key`.

        Raises:
            InvalidKey: the new key is not one of that question.
        """
        change = self.keys.get(number)
        counted = changed_key(kind, key, change) if change is not None else key
        spellings = self.spellings.get(number, [])
        return _with_spellings(counted, spellings) if isinstance(counted, QrocKey) else counted


def effects(adopted: Iterable[Adopted]) -> dict[int, Effect]:
    """Fold decisions, in the order of their adoption, into what is in force, by paper. The last word counts."""
    found: dict[int, Effect] = {}
    for decision in adopted:
        effect = found.setdefault(decision.paper_id, Effect())
        _FOLDS[decision.kind](effect, decision, set(decision.questions))
    return found


def _neutralise(effect: Effect, decision: Adopted, questions: set[int]) -> None:
    kept, left = (effect.dropped, effect.given)
    if decision.mode is NeutralisationMode.FULL:
        kept, left = left, kept
    kept |= questions
    left -= questions


def _rekey(effect: Effect, decision: Adopted, questions: set[int]) -> None:
    effect.keys |= dict.fromkeys(questions, decision.key or {})


def _restore(effect: Effect, _decision: Adopted, questions: set[int]) -> None:
    effect.dropped -= questions
    effect.given -= questions
    effect.keys = {number: key for number, key in effect.keys.items() if number not in questions}


def _spell(effect: Effect, decision: Adopted, questions: set[int]) -> None:
    for number in questions:
        effect.spellings.setdefault(number, []).append(cast("tuple[str, SpellingCategory]", decision.spelling))


_FOLDS: Mapping[ProposalKind | None, Callable[[Effect, Adopted, set[int]], None]] = {
    ProposalKind.NEUTRALISE: _neutralise,
    ProposalKind.REKEY: _rekey,
    ProposalKind.RESTORE: _restore,
    None: _spell,
}


def _with_spellings(key: QrocKey, spellings: Sequence[tuple[str, SpellingCategory]]) -> QrocKey:
    """Put each spelling in its list, unless the key lists it already: a vote on the lists is stronger."""
    lists = {
        SpellingCategory.EXACT: set(key.exact),
        SpellingCategory.ACCEPTABLE: set(key.acceptable),
        SpellingCategory.WRONG: set(key.refused),
    }
    listed = {normalised(text) for texts in lists.values() for text in texts}
    for text, category in spellings:
        if normalised(text) not in listed:
            lists[category].add(text)
    return QrocKey(*(frozenset(texts) for texts in lists.values()))


def key_data(key: Key) -> dict[str, Any]:
    """Return a key as plain values: what a form shows, what a decision stores."""
    match key:
        case ChoiceKey():
            return {"statuses": [status.value for status in key.statuses], "expected_count": key.expected_count}
        case QrocKey():
            return {name: sorted(getattr(key, name)) for name in ("exact", "acceptable", "refused")}
        case TcsKey():
            return {"votes": list(key.votes)}
        case ZapKey():
            return {"zones": [zone_text(zone) for zone in key.zones], "expected_count": key.expected_count}


def content_under(content: QuestionContent, key: Key) -> QuestionContent:
    """Return a question as if it had been written with this key: what is shown beside an answer that it marks."""
    match key:
        case ChoiceKey():
            pairs = zip(content.propositions, key.statuses, strict=True)
            lines = tuple(replace(line, status=status) for line, status in pairs)
            return replace(content, propositions=lines, expected_count=key.expected_count)
        case QrocKey():
            return replace(content, accepted=AcceptedAnswers(tuple(sorted(key.exact)), tuple(sorted(key.acceptable))))
        case TcsKey():
            return replace(content, script=content.script and replace(content.script, panel=key.votes))
        case ZapKey():
            return replace(content, zones=key.zones, expected_count=key.expected_count)


def changed_key(kind: QuestionKind, key: Key, data: KeyData) -> Key:
    """Return the key that `data` holds, for a question whose paper holds `key`.

    Raises:
        InvalidKey: nothing could be marked against it, or it is the key of another question.
    """
    try:
        changed = _read_key(key, data)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidKey("La nouvelle clé n’a pas la forme de celle de la question.") from error
    if isinstance(key, ChoiceKey) and isinstance(changed, ChoiceKey) and len(changed.statuses) != len(key.statuses):
        raise InvalidKey("La nouvelle clé n’a pas autant de propositions que la question.")
    ensure_key(kind, changed)
    return changed


def _read_key(key: Key, data: KeyData) -> Key:
    match key:
        case ChoiceKey():
            return ChoiceKey(tuple(PropositionStatus(status) for status in data["statuses"]), data["expected_count"])
        case QrocKey():
            return QrocKey(*(frozenset(data[name]) for name in ("exact", "acceptable", "refused")))
        case TcsKey():
            least, less, same, more, most = data["votes"]
            return TcsKey((least, less, same, more, most))
        case ZapKey():
            zones = tuple(zone_from(text) for text in data["zones"])
            return ZapKey(zones, data["expected_count"], key.image_size)


_PAIR = re.compile(r"(\d{1,3}(?:\.\d+)?);(\d{1,3}(?:\.\d+)?)")
_CIRCLE = re.compile(rf"cercle {_PAIR.pattern} rayon (\d{{1,3}}(?:\.\d+)?)")
_POLYGON = re.compile(rf"polygone(?: {_PAIR.pattern}){{3,}}")


def zone_text(zone: Zone) -> str:
    """Return a zone as a line: `cercle 50;40.5 rayon 10` or `polygone 0;0 10;0 10;10`, in per cent of the image."""
    match zone:
        case Circle(centre, radius):
            return f"cercle {centre.x};{centre.y} rayon {radius}"
        case Polygon(corners):
            return " ".join(["polygone", *(f"{corner.x};{corner.y}" for corner in corners)])


def zone_from(text: str) -> Zone:
    """Return the zone that a line in the form of `zone_text` says.

    Raises:
        InvalidKey: another form.
    """
    line = " ".join(text.split())
    circle = _CIRCLE.fullmatch(line)
    if circle:
        return Circle(Point(Decimal(circle[1]), Decimal(circle[2])), Decimal(circle[3]))
    if not _POLYGON.fullmatch(line):
        raise InvalidKey(f"Zone illisible : « {text} ».")
    return Polygon(tuple(Point(Decimal(x), Decimal(y)) for x, y in _PAIR.findall(line)))
