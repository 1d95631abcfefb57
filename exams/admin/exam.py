"""Exams, their parts and their sittings."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import NamedRows, RoleAdmin, RoleGate
from ecni.accounts.rules import Domain
from ecni.shared.clock import now
from exams.actions.preset import PRESETS, ExamNotEmpty, apply_preset
from exams.admin.pages import page_context, staff_member
from exams.enums import SheetState
from exams.forms import PresetForm
from exams.models import Exam, ExamPart, Sitting


class ExamPartInline(RoleGate, admin.TabularInline[ExamPart, Exam]):
    """The shares of the total."""

    domain = Domain.EXAM
    model = ExamPart
    formset = NamedRows
    extra = 0


@admin.register(Exam)
class ExamAdmin(RoleAdmin):
    """One national session."""

    domain = Domain.EXAM
    list_display = ("name", "slug", "sitting_count")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ExamPartInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exam]:
        """Count the sittings in the same query."""
        exams: QuerySet[Exam] = super().get_queryset(request)
        return exams.annotate(sitting_count=Count("sittings")).order_by("-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the preset."""
        preset = self.admin_site.admin_view(self.show_preset)
        return [path("<int:exam_id>/prereglage/", preset, name="exams_exam_preset"), *super().get_urls()]

    def show_preset(self, request: HttpRequest, exam_id: int) -> HttpResponse:
        """Ask for the shape and the first day, then create the parts and the sittings of an ECNi or of an EDN."""
        exam = get_object_or_404(Exam, pk=exam_id)
        actor = staff_member(self, request, exam)
        form = PresetForm(request.POST or None)
        if form.is_valid():
            preset = PRESETS[form.cleaned_data["preset"]]
            first_day = form.cleaned_data["first_day"]
            try:
                apply_preset(exam_id=exam_id, preset=preset, first_day=first_day, actor=actor, now=now())
            except ExamNotEmpty as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(
                    request, gettext("Parties et épreuves créées\u00a0: %(name)s.") % {"name": preset.name}
                )
            return HttpResponseRedirect(reverse("admin:exams_exam_change", args=[exam_id]))
        title = gettext("Préréglage\u00a0: %(exam)s") % {"exam": exam}
        return render(
            request, "admin/exams/exam/preset.html", page_context(self, request, title, exam) | {"form": form}
        )

    @admin.display(description=_("épreuves"), ordering="sitting_count")
    def sitting_count(self, exam: Any) -> int:
        """Number of sittings, reserve slots included."""
        count: int = exam.sitting_count
        return count


@admin.register(Sitting)
class SittingAdmin(RoleAdmin):
    """One dated and timed paper, with the sheets as they stand."""

    domain = Domain.EXAM
    list_display = ("title", "exam", "number", "starts_at", "duration", "is_reserve", "sheets_by_state", "board")
    list_filter = ("exam", "is_reserve")
    list_select_related = ("exam",)
    search_fields = ("title",)
    ordering = ("exam", "number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sitting]:
        """Count the sheets of each state in the same query."""
        counts = {_counter(state): Count("sheets", filter=Q(sheets__state=state)) for state in SheetState}
        sittings: QuerySet[Sitting] = super().get_queryset(request)
        return sittings.annotate(**counts)

    @admin.display(description=_("durée"))
    def duration(self, sitting: Sitting) -> str:
        """Hours and minutes."""
        hours, rest = divmod(sitting.duration_seconds, 3600)
        return f"{hours}\u00a0h\u00a0{rest // 60:02}"

    @admin.display(description=_("copies"))
    def sheets_by_state(self, sitting: Sitting) -> str:
        """Number of sheets of each state in use."""
        counts = {state.label: getattr(sitting, _counter(state)) for state in SheetState}
        return " · ".join(f"{label} {count}" for label, count in counts.items() if count) or "-"

    @admin.display(description=_("tableau national"))
    def board(self, sitting: Sitting) -> SafeString | str:
        """Link to the live national board, where it exists."""
        try:
            address = reverse("centres:national-board")
        except NoReverseMatch:
            return "-"
        return format_html('<a href="{}?epreuve={}">{}</a>', address, sitting.pk, gettext("Ouvrir"))


def _counter(state: SheetState) -> str:
    return f"sheets_{state.value.lower()}"
