"""What is typed to publish, to read one's results, and to complain of them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ranking.enums import ComplaintState, Status, Treatment
from ranking.models import SpecialtyGroup
from ranking.rules import Policy
from ranking.rules.groups import InvalidGroup, check_keys
from ranking.rules.policy import LONGEST_COMPLAINT_DAYS, LONGEST_SEED, key_of_word, word_of_key


class ProposalForm(forms.Form):
    """When a ranking may be published at the earliest, in French time, and why."""

    not_before = forms.DateTimeField(
        label=_("Pas avant"),
        input_formats=["%Y-%m-%dT%H:%M"],
        error_messages={"required": _("Indiquez la date et l’heure."), "invalid": _("Date ou heure illisible.")},
    )
    reason = forms.CharField(label=_("Motif"), max_length=500, error_messages={"required": _("Indiquez le motif.")})


class ResultsForm(forms.Form):
    """The two things printed on the part of the slip that the candidate keeps."""

    official_number = forms.CharField(label=_("Numéro de candidat"), max_length=20)
    code = forms.CharField(label=_("Code de résultats"), max_length=40)


class ComplaintForm(forms.Form):
    """What a candidate contests; the lengths are the rules'."""

    sitting = forms.IntegerField(required=False, min_value=1, max_value=99)
    question = forms.IntegerField(required=False, min_value=1, max_value=999)
    text = forms.CharField(required=False, strip=True)


class StepForm(forms.Form):
    """The next step of a complaint."""

    step = forms.ChoiceField(choices=ComplaintState.choices)
    text = forms.CharField(required=False, strip=True)


class PolicyForm(forms.Form):
    """The published parameters of a ranking, before any mark."""

    tie_keys = forms.CharField(label=_("Clés de départage"), max_length=200, required=False)
    seed = forms.CharField(label=_("Graine publique du tirage au sort"), max_length=LONGEST_SEED, required=False)
    smallest_cell = forms.IntegerField(label=_("Effectif minimal d’une case"), min_value=1, max_value=1000)
    complaint_days = forms.IntegerField(
        label=_("Délai de réclamation (jours)"), min_value=1, max_value=LONGEST_COMPLAINT_DAYS
    )
    reason = forms.CharField(label=_("Motif"), max_length=500, error_messages={"required": _("Indiquez le motif.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for status in Status:
            self.fields[f"status_{status.value}"] = forms.ChoiceField(label=status.label, choices=Treatment.choices)
        self.fields["reason"] = self.fields.pop("reason")

    def policy(self) -> Policy:
        """Return what was typed.

        Raises:
            InvalidPolicy: a key that does not exist.
        """
        data = self.cleaned_data
        return Policy(
            tie_keys=tuple(key_of_word(word) for word in data["tie_keys"].replace(",", " ").split()),
            treatments={status: Treatment(data[f"status_{status.value}"]) for status in Status},
            seed=data["seed"].strip(),
            smallest_cell=data["smallest_cell"],
            complaint_days=data["complaint_days"],
        )


def policy_fields(policy: Policy) -> dict[str, object]:
    """Return what the form shows of a policy."""
    return {
        "tie_keys": " ".join(word_of_key(key) for key in policy.tie_keys),
        "seed": policy.seed,
        "smallest_cell": policy.smallest_cell,
        "complaint_days": policy.complaint_days,
        **{f"status_{status.value}": policy.treatments[status].value for status in Status},
    }


class GroupForm(forms.ModelForm[SpecialtyGroup]):
    """A group of specialties: items are whole numbers from 1, keys are known ones."""

    class Meta:
        model = SpecialtyGroup
        fields = ("exam", "number", "name", "items", "tie_keys")

    def clean_items(self) -> list[int]:
        """Return the items, sorted, each once."""
        items = self.cleaned_data["items"]
        if not isinstance(items, list) or not all(type(item) is int and item > 0 for item in items):
            raise forms.ValidationError(_("Écrivez une liste de numéros d’items : [221, 222]."))
        return sorted(set(items))

    def clean_tie_keys(self) -> list[str]:
        """Return the keys, in their order."""
        words = self.cleaned_data["tie_keys"]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise forms.ValidationError(_('Écrivez une liste de clés : ["RANK_A", "ALL"].'))
        try:
            check_keys(words)
        except InvalidGroup as error:
            raise forms.ValidationError(str(error)) from error
        return words
