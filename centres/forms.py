"""Forms of the administration of people and places."""

from django import forms
from django.utils.translation import gettext_lazy as _

from centres.enums import CandidateCategory, CandidateStanding
from exams.enums import GuardMode, GuardName, LimitName
from exams.models import Exam, Sitting
from exams.models.admission import LONGEST_REASON


class SeatingForm(forms.Form):
    """Which sitting to seat."""

    sitting = forms.ModelChoiceField(
        Sitting.objects.order_by("starts_at"),
        label=_("Épreuve"),
        help_text=_(
            "Chaque candidat reçoit une place, une copie et un coupon. Les centres déjà préparés ne changent pas."
        ),
    )


class CandidateFileForm(forms.Form):
    """A file of candidates."""

    exam = forms.ModelChoiceField(Exam.objects.order_by("-pk"), label=_("Examen"))
    file = forms.FileField(
        label=_("Fichier"),
        help_text=_(
            "CSV UTF-8 ou XLSX : numero, nom, prenom, date_naissance, centre ; au besoin tiers_temps, email, "
            "categorie, situation."
        ),
    )
    dry_run = forms.BooleanField(label=_("Contrôler sans rien écrire"), required=False, initial=True)


class StandingForm(forms.Form):
    """What a candidate is to the ranking."""

    category = forms.ChoiceField(label=_("Catégorie"), choices=CandidateCategory.choices)
    standing = forms.ChoiceField(label=_("Situation"), choices=CandidateStanding.choices)
    reason = forms.CharField(label=_("Motif"), max_length=500)


class LimitForm(forms.Form):
    """One limit to set."""

    name = forms.TypedChoiceField(choices=LimitName.choices, coerce=LimitName)
    value = forms.IntegerField()
    reason = forms.CharField(max_length=LONGEST_REASON)


class GuardForm(forms.Form):
    """One guard to switch."""

    name = forms.TypedChoiceField(choices=GuardName.choices, coerce=GuardName)
    mode = forms.TypedChoiceField(choices=GuardMode.choices, coerce=GuardMode)
    reason = forms.CharField(max_length=LONGEST_REASON)


class ConfirmForm(forms.Form):
    """The proposal that is confirmed."""

    proposal_id = forms.IntegerField(min_value=1)
