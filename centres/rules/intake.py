"""Reading a file of candidates: each cell checked, each error with its line, its column, its value and its reason."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from centres.enums import CandidateCategory, CandidateStanding

REQUIRED = ("numero", "nom", "prenom", "date_naissance", "centre")
OPTIONAL = ("tiers_temps", "email", "categorie", "situation")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
LONGEST_NAME = 100
LONGEST_PERCENT = 100
YOUNGEST_YEARS, OLDEST_YEARS = 15, 90
_CATEGORIES = {
    "": CandidateCategory.STUDENT,
    "etudiant": CandidateCategory.STUDENT,
    "cesp": CandidateCategory.CESP,
    "militaire": CandidateCategory.MILITARY,
    "europeen": CandidateCategory.EUROPEAN,
    "auditeur": CandidateCategory.AUDITOR,
    "interne": CandidateCategory.INTERN,
}
_STANDINGS = {
    "": CandidateStanding.REGULAR,
    "reguliere": CandidateStanding.REGULAR,
    "cycle non valide": CandidateStanding.CYCLE_NOT_VALIDATED,
    "retiree": CandidateStanding.WITHDRAWN,
    "exclu": CandidateStanding.EXCLUDED,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, and where. `line` 0 is the file itself; `column` may be empty."""

    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        if not self.line:
            return self.reason
        place = f"ligne {self.line}, colonne « {self.column} »" if self.column else f"ligne {self.line}"
        return f"{place} : « {self.value} » : {self.reason}"


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate as registered: `line` in the file, `extra_percent` 0 to 100."""

    line: int
    official_number: str
    last_name: str
    first_name: str
    born_on: date
    centre: str
    extra_percent: int
    email: str
    category: CandidateCategory
    standing: CandidateStanding = CandidateStanding.REGULAR


class BadCell(Exception):
    """A cell that does not hold what its column says; the text is the reason, in French."""


def check_header(header: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the names of the columns."""
    names = [name.strip().lower() for name in header]
    problems = [
        Problem(1, name, name, "colonne inconnue : vérifiez l’orthographe.")
        for name in names
        if name not in REQUIRED + OPTIONAL
    ]
    problems += [Problem(1, name, "", "colonne manquante.") for name in REQUIRED if name not in names]
    problems += [Problem(1, name, name, "colonne en double.") for name in sorted(set(names)) if names.count(name) > 1]
    return problems


def read_line(number: int, cells: Mapping[str, str], today: date) -> tuple[CandidateLine | None, list[Problem]]:
    """Return the candidate of a line, or None with every reason why it cannot be read."""
    values: dict[str, Any] = {}
    problems = []
    for column in REQUIRED + OPTIONAL:
        text = cells.get(column, "")
        try:
            _refuse_formula(text)
            values[column] = _READERS[column](" ".join(text.split()), today)
        except BadCell as error:
            problems.append(Problem(number, column, text, str(error)))
    if problems:
        return None, problems
    return (
        CandidateLine(
            line=number,
            official_number=values["numero"],
            last_name=values["nom"],
            first_name=values["prenom"],
            born_on=values["date_naissance"],
            centre=values["centre"],
            extra_percent=values["tiers_temps"],
            email=values["email"],
            category=values["categorie"],
            standing=values["situation"],
        ),
        [],
    )


def person_key(last_name: str, first_name: str, born_on: date) -> tuple[str, str, date]:
    """Return what makes two lines the same person: names without accents nor case, and the date of birth."""
    return plain(last_name), plain(first_name), born_on


def repeated_lines(lines: Sequence[CandidateLine]) -> list[Problem]:
    """Return a problem for each line that repeats an official number or a person of an earlier line."""
    numbers: dict[str, int] = {}
    people: dict[tuple[str, str, date], int] = {}
    problems = []
    for line in lines:
        first = numbers.setdefault(line.official_number, line.line)
        if first != line.line:
            problems.append(Problem(line.line, "numero", line.official_number, f"déjà à la ligne {first}."))
        who = people.setdefault(person_key(line.last_name, line.first_name, line.born_on), line.line)
        if who != line.line and first == line.line:
            problems.append(Problem(line.line, "nom", line.last_name, f"même personne qu’à la ligne {who}."))
    return problems


def _refuse_formula(text: str) -> None:
    if text.startswith(FORMULA_STARTS):
        raise BadCell("commence par un caractère de formule (= + - @) ou de tabulation.")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise BadCell("contient un caractère invisible.")


def _official_number(text: str, _today: date) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/_.-]{0,19}", text):
        raise BadCell("de 1 à 20 chiffres ou lettres sans accent." if text else "le numéro manque.")
    return text.upper()


def _name(text: str, _today: date) -> str:
    if not text:
        raise BadCell("le nom ou le prénom manque.")
    if len(text) > LONGEST_NAME or not any(character.isalpha() for character in text):
        raise BadCell("n’est pas un nom (100 caractères au plus, au moins une lettre).")
    return unicodedata.normalize("NFC", text)


def _birth_date(text: str, today: date) -> date:
    born_on = _date(text)
    if not YOUNGEST_YEARS <= today.year - born_on.year <= OLDEST_YEARS:
        raise BadCell(f"âge invraisemblable (de {YOUNGEST_YEARS} à {OLDEST_YEARS} ans).")
    return born_on


def _date(text: str) -> date:
    for pattern, shape in ((r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"), (r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y")):
        if re.fullmatch(pattern, text, re.ASCII):
            try:
                return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a birth date has no zone
            except ValueError:
                break
    raise BadCell("date attendue sous la forme AAAA-MM-JJ ou JJ/MM/AAAA.")


def _centre(text: str, _today: date) -> str:
    if not text:
        raise BadCell("le code du centre manque.")
    return text.lower()


def _percent(text: str, _today: date) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII) or int(text) > LONGEST_PERCENT:
        raise BadCell("pourcentage entier attendu, de 0 à 100 (33 pour un tiers).")
    return int(text)


def _email(text: str, _today: date) -> str:
    if text and not re.fullmatch(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}", text):
        raise BadCell("adresse de courriel mal formée.")
    return text


def _category(text: str, _today: date) -> CandidateCategory:
    try:
        return _CATEGORIES[plain(text)]
    except KeyError:
        raise BadCell("catégorie inconnue : etudiant, cesp, militaire, europeen, auditeur ou interne.") from None


def _standing(text: str, _today: date) -> CandidateStanding:
    try:
        return _STANDINGS[plain(text)]
    except KeyError:
        raise BadCell("situation inconnue : reguliere, cycle non valide, retiree ou exclu.") from None


def plain(text: str) -> str:
    """Return a text without its accents and its case: what two spellings of a name have in common."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


_READERS: Mapping[str, Callable[[str, date], Any]] = {
    "numero": _official_number,
    "nom": _name,
    "prenom": _name,
    "date_naissance": _birth_date,
    "centre": _centre,
    "tiers_temps": _percent,
    "email": _email,
    "categorie": _category,
    "situation": _standing,
}
