"""Candidates and accommodations: searched, exported, imported by file."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from centres.actions.candidates import change_standing, register_candidates
from centres.admin.places import csv_response
from centres.exports import candidates_csv
from centres.forms import CandidateFileForm, StandingForm
from centres.imports import CandidatesRefused, read_candidates
from centres.models import Accommodation, Candidate
from centres.rules.access import may
from ecni.accounts.administration import RoleAdmin, RoleGate
from ecni.accounts.models import User
from ecni.accounts.rules import Domain
from ecni.shared.clock import now


class AccommodationInline(RoleGate, admin.StackedInline[Accommodation, Candidate]):
    """Extra time of a candidate. Once seated, it must also be granted on the sheet: the console says so."""

    domain = Domain.PEOPLE
    model = Accommodation
    fields = ("extra_percent", "reason", "declared_at")
    extra = 0


@admin.register(Candidate)
class CandidateAdmin(RoleAdmin):
    """Candidates; registered by file, corrected here. The anonymous number is never shown beside a name."""

    domain = Domain.PEOPLE
    list_display = ("last_name", "first_name", "official_number", "born_on", "centre", "extra_time")
    list_filter = ("exam", "centre", "category", "standing")
    list_select_related = ("centre", "accommodation")
    search_fields = ("last_name", "first_name", "official_number")
    ordering = ("last_name", "first_name", "pk")
    fields = (
        "exam",
        "centre",
        "official_number",
        "last_name",
        "first_name",
        "born_on",
        "email",
        "category",
        "standing",
    )
    readonly_fields = ("exam", "centre", "official_number", "category", "standing")
    inlines = (AccommodationInline,)
    actions = ("export",)
    change_list_template = "admin/centres/candidate_list.html"
    change_form_template = "admin/centres/candidate_form.html"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 -- Django's
        """Refuse: candidates come by file, that gives them their anonymous number."""
        return False

    @admin.display(description=_("temps majoré"))
    def extra_time(self, candidate: Candidate) -> str:
        """Share of extra time."""
        accommodation = getattr(candidate, "accommodation", None)
        return str(accommodation) if accommodation else ""

    @admin.action(description=_("Exporter en CSV"))
    def export(self, _request: HttpRequest, candidates: QuerySet[Candidate]) -> HttpResponse:
        """Give the list as CSV, in the columns of the import."""
        return csv_response("candidats.csv", candidates_csv(candidates.select_related("centre", "accommodation")))

    def get_urls(self) -> list[URLPattern]:
        """Add the import."""
        return [
            path(
                "<int:pk>/situation/", self.admin_site.admin_view(self.show_standing), name="centres_candidate_standing"
            ),
            path("importer/", self.admin_site.admin_view(self.show_import), name="centres_candidate_import"),
            *super().get_urls(),
        ]

    def show_standing(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what a candidate is to the ranking, with the reason."""
        actor = request.user
        if not isinstance(actor, User) or not may(actor.role, "import-candidates"):
            raise PermissionDenied
        candidate = get_object_or_404(Candidate, pk=pk)
        initial = {"category": candidate.category, "standing": candidate.standing}
        form = StandingForm(request.POST or None, initial=initial)
        if form.is_valid():
            change_standing(candidate_id=pk, actor=actor, now=now(), **form.cleaned_data)
            messages.success(request, "La situation est enregistrée, avec son motif.")
            return HttpResponseRedirect(reverse("admin:centres_candidate_change", args=[pk]))
        context = self.admin_site.each_context(request) | {"title": "Changer la situation", "opts": self.opts}
        return render(request, "admin/centres/form.html", context | {"form": form, "button": "Enregistrer"})

    def show_import(self, request: HttpRequest) -> HttpResponse:
        """Check a file and, when asked, register its candidates."""
        actor = request.user
        if not isinstance(actor, User) or not may(actor.role, "import-candidates"):
            raise PermissionDenied
        form = CandidateFileForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {}
        if form.is_valid():
            try:
                return self._take(request, actor, form)
            except CandidatesRefused as refusal:
                context["problems"] = refusal.problems
        context |= self.admin_site.each_context(request) | {"title": "Importer des candidats", "opts": self.opts}
        return render(request, "admin/centres/form.html", context | {"form": form, "button": "Envoyer"})

    def _take(self, request: HttpRequest, actor: User, form: CandidateFileForm) -> HttpResponse:
        exam, moment = form.cleaned_data["exam"], now()
        lines = read_candidates(form.cleaned_data["file"].read(), exam_id=exam.pk, today=moment.date())
        if form.cleaned_data["dry_run"]:
            messages.info(request, f"{len(lines)} candidats lus, aucune erreur. Rien n’a été écrit.")
            return HttpResponseRedirect(reverse("admin:centres_candidate_import"))
        report = register_candidates(exam_id=exam.pk, lines=lines, actor=actor, now=moment)
        text = f"{report.created} créés, {report.changed} modifiés, {report.unchanged} inchangés."
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:centres_candidate_changelist"))
