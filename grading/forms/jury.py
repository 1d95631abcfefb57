"""What the jury types: a session to open, a proposal, a vote, opinions on short answers."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from exams.enums import PropositionStatus
from exams.rules.states import Refused
from grading.enums import BallotChoice, NeutralisationMode, ProposalKind, SpellingCategory
from grading.queries.questions import QuestionPage
from grading.rules.decisions import Adopted, key_data
from grading.rules.deliberation import PUBLISHED_RULES

MEMBERS = 200
ONE, WHOLE = "question", "unite"


class SessionForm(forms.Form):
    """Who is present, and the rules of the votes."""

    present = forms.TypedMultipleChoiceField(coerce=int, required=False)
    quorum = forms.IntegerField(label=_("Quorum"), min_value=1, max_value=MEMBERS, initial=PUBLISHED_RULES.quorum)
    casting_vote = forms.BooleanField(label=_("Voix prépondérante du président"), required=False)

    def __init__(self, *args: Any, members: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["present"].choices = members  # type: ignore[attr-defined]  # a field of choices


class BallotForm(forms.Form):
    """One's vote."""

    choice = forms.ChoiceField(choices=BallotChoice.choices, error_messages={"required": _("Choisissez un vote.")})


class Unreadable(Refused):
    """What was typed cannot be read."""

    code = "unreadable"


def change_from(posted: QueryDict, page: QuestionPage) -> Adopted:
    """Return the change that a form of the question's page asks for.

    Raises:
        Unreadable: a field is missing or is not one of the form's values.
    """
    try:
        kind = ProposalKind(posted.get("kind", ""))
        mode = NeutralisationMode(posted.get("mode", "")) if kind is ProposalKind.NEUTRALISE else None
        key = _key_from(posted, key_data(page.counted)) if kind is ProposalKind.REKEY else None
    except ValueError as error:
        raise Unreadable("La proposition est incomplète : choisissez ce qui change, en chiffres entiers.") from error
    questions = page.unit if posted.get("scope") == WHOLE and kind is not ProposalKind.REKEY else (page.number,)
    return Adopted(kind, page.paper.pk, questions, mode=mode, key=key)


def _key_from(posted: QueryDict, present: dict[str, Any]) -> dict[str, Any]:
    """Read the fields that the present key has; what makes a key coherent is for the rules to say."""
    found: dict[str, Any] = {}
    for name, value in present.items():
        match name, value:
            case "statuses", _:
                found[name] = [PropositionStatus(status).value for status in posted.getlist("statuses")]
            case "votes", _:
                found[name] = [int(votes) for votes in posted.getlist("votes")]
            case "expected_count", None:
                found[name] = None
            case "expected_count", _:
                found[name] = int(posted.get(name, ""))
            case _:
                lines = (" ".join(line.split()) for line in posted.get(name, "").splitlines())
                found[name] = [line for line in lines if line] if name == "zones" else sorted({*lines} - {""})
    return found


def opinions_from(posted: QueryDict) -> dict[str, SpellingCategory]:
    """Return the category chosen for each answer of the page; those left aside are not in it.

    Raises:
        Unreadable: a category that does not exist.
    """
    try:
        places = [name.removeprefix("text-") for name in posted if name.startswith("text-")]
        chosen = {posted.get(f"text-{place}", ""): posted.get(f"category-{place}", "") for place in places}
        return {text: SpellingCategory(category) for text, category in chosen.items() if category}
    except ValueError as error:
        raise Unreadable("Une catégorie est illisible : rien n’a été enregistré.") from error
