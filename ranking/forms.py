"""What is typed to publish, and to read one's results."""

from django import forms
from django.utils.translation import gettext_lazy as _


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
