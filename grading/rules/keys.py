"""What each family of questions is marked against, as frozen values. A key that exists can be marked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content import QuestionContent, Zone
from exams.rules.states import Refused

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RIGHT = frozenset({PropositionStatus.TRUE, PropositionStatus.REQUIRED})
PLAIN = frozenset({PropositionStatus.TRUE, PropositionStatus.FALSE})
TCS_SCALE = ("-2", "-1", "0", "1", "2")
"""The answers to a script-concordance question, in the order of the panel's votes."""


class InvalidKey(Refused):
    """A key that no answer could be marked against."""

    code = "invalid-key"
    text = "Cette question n’a pas de clé de correction utilisable."


@dataclass(frozen=True, slots=True)
class ChoiceKey:
    """The key of a question answered by ticking propositions (QRU, QRM, QRP, QRPL).

    Attributes:
        statuses: what the key says of each proposition, A first; 1 to 26 of them, at least one right.
        expected_count: number of answers announced to the candidate (QRP, QRPL), from 1; else None.
        right, required, forbidden: the same statuses as masks, bit 0 for A.
    """

    statuses: tuple[PropositionStatus, ...]
    expected_count: int | None = None
    right: int = field(init=False)
    required: int = field(init=False)
    forbidden: int = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.statuses) <= len(LETTERS):
            raise InvalidKey("De 1 à 26 propositions attendues.")
        if self.expected_count is not None and self.expected_count < 1:
            raise InvalidKey("Le nombre de réponses attendues est d’au moins 1.")
        object.__setattr__(self, "right", self._mask(RIGHT))
        object.__setattr__(self, "required", self._mask(frozenset({PropositionStatus.REQUIRED})))
        object.__setattr__(self, "forbidden", self._mask(frozenset({PropositionStatus.FORBIDDEN})))
        if not self.right:
            raise InvalidKey("Au moins une proposition vraie attendue.")

    def _mask(self, wanted: frozenset[PropositionStatus]) -> int:
        return sum(1 << bit for bit, status in enumerate(self.statuses) if status in wanted)


@dataclass(frozen=True, slots=True)
class QrocKey:
    """The key of a short open answer: the texts known so far, in each of the three categories.

    Attributes:
        exact: texts worth the whole mark; at least one.
        acceptable: texts worth half of it.
        refused: texts that people have read and found wrong, so that nobody is asked to read them again.
    """

    exact: frozenset[str]
    acceptable: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.exact:
            raise InvalidKey("Au moins une réponse exacte attendue.")


@dataclass(frozen=True, slots=True)
class TcsKey:
    """The key of a script-concordance question: how many panellists chose -2, -1, 0, +1 and +2."""

    votes: tuple[int, int, int, int, int]

    def __post_init__(self) -> None:
        if len(self.votes) != len(TCS_SCALE) or min(self.votes) < 0 or not any(self.votes):
            raise InvalidKey("Cinq nombres de votes attendus, de -2 à 2, dont un au moins non nul.")


@dataclass(frozen=True, slots=True)
class ZapKey:
    """The key of a point-on-image question.

    Attributes:
        zones: the zones to hit, in per cent of the image.
        expected_count: number of points announced to the candidate, from 1.
        image_size: width and height of the image, in any one unit: a circle is round on the screen, so its
            radius, in per cent of the width, needs the image's proportions.
    """

    zones: tuple[Zone, ...]
    expected_count: int
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        if not self.zones or self.expected_count < 1 or min(self.image_size) < 1:
            raise InvalidKey("Une zone au moins, un point attendu au moins et la taille de l’image attendus.")


Key = ChoiceKey | QrocKey | TcsKey | ZapKey

FAMILIES: Mapping[QuestionKind, type[Key]] = {
    QuestionKind.QRU: ChoiceKey,
    QuestionKind.QRM: ChoiceKey,
    QuestionKind.QRP: ChoiceKey,
    QuestionKind.QRPL: ChoiceKey,
    QuestionKind.QROC: QrocKey,
    QuestionKind.TCS: TcsKey,
    QuestionKind.ZAP: ZapKey,
}
COUNTED = frozenset({QuestionKind.QRP, QuestionKind.QRPL})


def ensure_key(kind: QuestionKind, key: Key) -> None:
    """Refuse a key of another family than the kind's.

    Raises:
        InvalidKey: another family; a QRP or QRPL that announces no number; a QRPL with a proposition that is
            required or forbidden, which the rules exclude (R2C general marking rules, 31 January 2023).
    """
    if not isinstance(key, FAMILIES[kind]):
        raise InvalidKey(f"Une question {kind} ne se corrige pas avec {type(key).__name__}.")
    if not isinstance(key, ChoiceKey):
        return
    if kind in COUNTED and key.expected_count is None:
        raise InvalidKey(f"Une question {kind} annonce un nombre de réponses.")
    if kind == QuestionKind.QRPL and not PLAIN.issuperset(key.statuses):
        raise InvalidKey("Ni indispensable ni inacceptable dans une question QRPL.")


def key_of(kind: QuestionKind, content: QuestionContent, image_size: tuple[int, int] | None = None) -> Key:
    """Return the key that a question's content holds; `image_size` is that of a ZAP's image (width, height).

    Raises:
        InvalidKey: nothing could be marked against it.
    """
    key = _READERS[FAMILIES[kind]](content, image_size)
    ensure_key(kind, key)
    return key


def _choice(content: QuestionContent, _image_size: tuple[int, int] | None) -> Key:
    return ChoiceKey(tuple(line.status for line in content.propositions), content.expected_count)


def _qroc(content: QuestionContent, _image_size: tuple[int, int] | None) -> Key:
    if content.accepted is None:
        raise InvalidKey("Réponses acceptées manquantes.")
    return QrocKey(frozenset(content.accepted.exact), frozenset(content.accepted.acceptable))


def _tcs(content: QuestionContent, _image_size: tuple[int, int] | None) -> Key:
    if content.script is None or len(content.script.panel) != len(TCS_SCALE):
        raise InvalidKey("Votes du panel manquants.")
    least, less, same, more, most = content.script.panel
    return TcsKey((least, less, same, more, most))


def _zap(content: QuestionContent, image_size: tuple[int, int] | None) -> Key:
    if content.expected_count is None:
        raise InvalidKey("Nombre de points attendus manquant.")
    return ZapKey(content.zones, content.expected_count, image_size or (0, 0))


_READERS: Mapping[type[Key], Callable[[QuestionContent, tuple[int, int] | None], Key]] = {
    ChoiceKey: _choice,
    QrocKey: _qroc,
    TcsKey: _tcs,
    ZapKey: _zap,
}
