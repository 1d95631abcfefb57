"""Forms of the administration of people and places."""

from django import forms
from django.utils.translation import gettext_lazy as _

from exams.models import Exam, Sitting


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
            "CSV UTF-8 ou XLSX : numero, nom, prenom, date_naissance, centre ; au besoin tiers_temps, email, categorie."
        ),
    )
    dry_run = forms.BooleanField(label=_("Contrôler sans rien écrire"), required=False, initial=True)
