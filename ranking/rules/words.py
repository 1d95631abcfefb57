"""The order said in French: points as people write them, and why one candidate comes after another."""

from fractions import Fraction

from exams.enums import PartCode
from ranking.rules.lots import distinct_lots
from ranking.rules.order import Comparison, Decision, TieKey, TieSource

FEWEST_DIGITS = 2
MOST_DIGITS = 12
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


def points_text(points: Fraction, digits: int = FEWEST_DIGITS) -> str:
    """Return points in French, rounded to `digits` decimals (half to even), without idle zeros: `7 560,25`."""
    shifted = round(points * 10**digits)
    whole, decimals = divmod(abs(shifted), 10**digits)
    sign = "-" if shifted < 0 else ""
    fraction = f"{decimals:0{digits}d}".rstrip("0") if digits else ""
    text = f"{whole:,}".replace(",", THIN_SPACE)
    return f"{sign}{text},{fraction}" if fraction else f"{sign}{text}"


def distinct_texts(one: Fraction, two: Fraction) -> tuple[str, str]:
    """Return two unequal numbers of points with enough decimals to see that they differ, fractions at worst."""
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        texts = points_text(one, digits), points_text(two, digits)
        if texts[0] != texts[1]:
            return texts
    return str(one), str(two)


def key_text(key: TieKey, case: int = 0) -> str:
    """Return the name of a tie-break key; `case` is the position of the case compared, from 1."""
    match key.source:
        case TieSource.PART:
            return str(PartCode(key.part).label) if key.part in PartCode else key.part
        case TieSource.EACH_CASE:
            return f"dossier {case}" if case else "chaque dossier, dans l’ordre"
        case TieSource.BIRTH:
            return "date de naissance"
        case TieSource.LOT:
            return "tirage au sort"


def sentence(decision: Decision, denominator: int) -> str:
    """Return in French why a candidate is placed just after the one above.

    Dates of birth are compared, never shown.
    """
    match decision.decided_by:
        case None:
            return f"Ex æquo avec {decision.above} : toutes les clés sont égales, le rang est partagé."
        case Comparison(key=TieKey(source=TieSource.BIRTH)) as compared:
            order = "plus âgé" if compared.above < compared.below else "plus jeune"
            return f"Même total que {decision.above}, placé avant : c’est le {order} des deux."
        case Comparison(key=TieKey(source=TieSource.LOT)) as compared:
            above, below = distinct_lots(compared.above, compared.below)
            return f"Même total que {decision.above}, placé avant : tirage au sort, lot {below} contre {above}."
        case compared:
            above, below = distinct_texts(Fraction(compared.above, denominator), Fraction(compared.below, denominator))
            name = key_text(compared.key, compared.case)
            return f"Même total que {decision.above}, placé avant : {name}, {below} points contre {above}."


def own_sentence(source: str, key: str, *, is_above: bool) -> str:
    """Return in French, to one candidate, what an equality of totals became; it tells nothing of the other one.

    Args:
        source: of the key that decided; empty when none did, and the rank is shared.
        key: name of that key, from `key_text`.
        is_above: whether the reader is placed before the other candidate.
    """
    place = "après" if is_above else "avant"
    start = f"Un candidat de même total que vous est placé juste {place} vous"
    match source:
        case "":
            return "Un autre candidat vous est égal sur toutes les clés de départage : vous partagez le même rang."
        case TieSource.BIRTH:
            return f"{start} : la date de naissance vous départage."
        case TieSource.LOT:
            return f"{start} : tout est égal par ailleurs, le tirage au sort publié vous départage."
        case _:
            return f"{start} : {key} vous départage, {'vous y obtenez' if is_above else 'il y obtient'} plus de points."
