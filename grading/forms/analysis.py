"""How the list of questions is sorted and filtered; anything not understood is the default."""

from collections.abc import Callable, Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from exams.enums import QuestionKind
from exams.queries.times import ResponseTime
from grading.rules.analysis import Analysis, QuestionAnalysis

_Row = tuple[QuestionAnalysis, ResponseTime | None]
_ORDERS: Mapping[str, Callable[[_Row], tuple[float, ...]]] = {
    "suspects": lambda row: row[0].suspect_first,
    "numero": lambda row: (row[0].number,),
    "difficulte": lambda row: (float(row[0].statistics.difficulty), row[0].number),
    "discrimination": lambda row: (row[0].statistics.item_rest or 0.0, row[0].number),
    "temps": lambda row: (-row[1].median if row[1] else 0.0, row[0].number),
}
_FILTERS: Mapping[str, Callable[[QuestionAnalysis], bool]] = {
    "toutes": lambda _question: True,
    "soupcon": lambda question: bool(question.suspicions),
    "cle": lambda question: question.is_grave,
}


class AnalysisForm(forms.Form):
    """Sort and filter, in the address."""

    tri = forms.ChoiceField(
        label=_("Trier par"),
        required=False,
        choices=[
            ("suspects", _("suspects d’abord")),
            ("numero", _("numéro")),
            ("difficulte", _("difficulté, les plus dures d’abord")),
            ("discrimination", _("discrimination, les plus faibles d’abord")),
            ("temps", _("temps, les plus longues d’abord")),
        ],
        widget=forms.Select(attrs={"class": "input"}),
    )
    montrer = forms.ChoiceField(
        label=_("Montrer"),
        required=False,
        choices=[
            ("toutes", _("toutes les questions")),
            ("soupcon", _("celles à relire")),
            ("cle", _("celles dont la clé est en doute")),
        ],
        widget=forms.Select(attrs={"class": "input"}),
    )
    genre = forms.ChoiceField(
        label=_("Genre"),
        required=False,
        choices=[("", _("tous")), *((kind.value, kind.value) for kind in QuestionKind)],
        widget=forms.Select(attrs={"class": "input"}),
    )

    def chosen(self, analysis: Analysis, times: Mapping[int, ResponseTime]) -> list[_Row]:
        """Return the questions asked for, in the order asked for, each with its response time if known."""
        self.is_valid()
        keep = _FILTERS[self.cleaned_data.get("montrer") or "toutes"]
        kind = self.cleaned_data.get("genre")
        rows = [
            (question, times.get(question.number))
            for question in analysis.questions
            if keep(question) and kind in {None, "", question.kind.value}
        ]
        return sorted(rows, key=_ORDERS[self.cleaned_data.get("tri") or "suspects"])
