"""Centres, rooms and staff; what was hosted is looked at."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from centres.actions.seating import seat_candidates
from centres.exports import centres_csv
from centres.forms import SeatingForm
from centres.models import Centre, CentreMembership, Hosting, Incident, Room
from centres.rules.access import may
from ecni.accounts.administration import ReadOnlyAdmin, RoleAdmin, RoleGate
from ecni.accounts.models import User
from ecni.accounts.rules import Domain
from ecni.shared.clock import now
from exams.actions.admission import set_networks
from exams.rules.states import Refused


class RoomInline(RoleGate, admin.TabularInline[Room, Centre]):
    """The rooms of a centre."""

    domain = Domain.PEOPLE
    model = Room
    extra = 0


class CentreMembershipInline(RoleGate, admin.TabularInline[CentreMembership, Centre]):
    """The staff of a centre."""

    domain = Domain.PEOPLE
    model = CentreMembership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Centre)
class CentreAdmin(RoleAdmin):
    """Centres with their rooms and their staff."""

    domain = Domain.PEOPLE
    list_display = ("name", "code", "city", "academy", "room_count", "seat_count")
    search_fields = ("name", "code", "city")
    ordering = ("name",)
    inlines = (RoomInline, CentreMembershipInline)
    actions = ("export",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Centre]:
        """Count rooms and seats in the same query."""
        centres: QuerySet[Centre] = super().get_queryset(request)
        return centres.annotate(rooms_here=Count("rooms"), seats_here=Sum("rooms__capacity"))

    def save_model(self, request: HttpRequest, obj: Centre, form: ModelForm[Centre], change: bool) -> None:  # noqa: FBT001 -- Django's
        """Save, and have the networks of a centre hold in the sittings that it hosts."""
        super().save_model(request, obj, form, change)
        actor = request.user
        if "networks" in form.changed_data and isinstance(actor, User):
            hosted = Hosting.objects.filter(centre=obj).values_list("centre_sitting_id", flat=True)
            set_networks(centre_sitting_ids=list(hosted), networks=obj.networks.split(), actor=actor, now=now())

    @admin.display(description=_("salles"))
    def room_count(self, centre: Any) -> int:
        """Number of rooms."""
        count: int = centre.rooms_here
        return count

    @admin.display(description=_("places"))
    def seat_count(self, centre: Any) -> int:
        """Number of seats."""
        return centre.seats_here or 0

    @admin.action(description=_("Exporter en CSV"))
    def export(self, _request: HttpRequest, centres: QuerySet[Centre]) -> HttpResponse:
        """Give the list as CSV."""
        return csv_response("centres.csv", centres_csv(centres.prefetch_related("rooms")))


@admin.register(Hosting)
class HostingAdmin(ReadOnlyAdmin):
    """Where sittings are hosted; seating candidates is done from here."""

    domain = Domain.PEOPLE
    list_display = ("centre", "sitting", "state", "seat_count", "links")
    list_filter = ("sitting",)
    list_select_related = ("centre", "sitting", "centre_sitting")
    search_fields = ("centre__name",)
    ordering = ("sitting", "centre__name")
    change_list_template = "admin/centres/hosting_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hosting]:
        """Count the seats in the same query."""
        hostings: QuerySet[Hosting] = super().get_queryset(request)
        return hostings.annotate(seats_here=Count("seats"))

    @admin.display(description=_("état"))
    def state(self, hosting: Hosting) -> str:
        """State of the centre sitting."""
        return hosting.centre_sitting.get_state_display()

    @admin.display(description=_("candidats"))
    def seat_count(self, hosting: Any) -> int:
        """Number of candidates seated."""
        count: int = hosting.seats_here
        return count

    @admin.display(description=_("salle"))
    def links(self, hosting: Hosting) -> SafeString:
        """Links to the console and to the slips."""
        room, slips = reverse("centres:room-show", args=[hosting.pk]), reverse("centres:slips-pdf", args=[hosting.pk])
        return format_html('<a href="{}">Console</a> · <a href="{}">Coupons (PDF)</a>', room, slips)

    def get_urls(self) -> list[URLPattern]:
        """Add the seating of candidates."""
        return [
            path("placer/", self.admin_site.admin_view(self.seat), name="centres_hosting_seat"),
            *super().get_urls(),
        ]

    def seat(self, request: HttpRequest) -> HttpResponse:
        """Ask for a sitting, then seat its candidates in every centre not yet prepared."""
        actor = request.user
        if not isinstance(actor, User) or not may(actor.role, "seat"):
            raise PermissionDenied
        form = SeatingForm(request.POST or None)
        if form.is_valid():
            try:
                hostings = seat_candidates(sitting_id=form.cleaned_data["sitting"].pk, actor=actor, now=now())
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"{len(hostings)} centre(s) préparé(s) : places et coupons sont prêts.")
                return HttpResponseRedirect(reverse("admin:centres_hosting_changelist"))
        context = self.admin_site.each_context(request) | {"title": "Placer les candidats", "opts": self.opts}
        return render(request, "admin/centres/form.html", context | {"form": form, "button": "Placer"})


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Incidents, as they were written."""

    domain = Domain.PEOPLE
    list_display = ("at", "hosting_name", "text", "reported_by")
    list_select_related = ("hosting__centre", "hosting__sitting", "reported_by")
    ordering = ("-at",)

    @admin.display(description=_("centre"))
    def hosting_name(self, incident: Incident) -> str:
        """Centre and sitting."""
        return f"{incident.hosting.centre}, {incident.hosting.sitting}"


def csv_response(name: str, data: bytes) -> HttpResponse:
    """Give a CSV file to save."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)
