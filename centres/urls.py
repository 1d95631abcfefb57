"""Addresses of the door, of rooms and of the nation."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from centres.views import entry, limits, national, papers, room, staff, unanswered, witness

app_name = "centres"

urlpatterns = [
    path("", staff.home, name="home"),
    path(
        "connexion/",
        LoginView.as_view(template_name="centres/login.html", redirect_authenticated_user=True),
        name="staff-login",
    ),
    path("deconnexion/", LogoutView.as_view(next_page="centres:staff-login"), name="staff-logout"),
    path("entrer/", entry.enter, name="slip-enter"),
    path("entrer/attente/", entry.wait_turn, name="turn-wait"),
    path("entrer/sans-reponse/", unanswered.show_unanswered, name="unanswered-show"),
    path("entrer/sw.js", unanswered.show_worker, name="worker-show"),
    path("entrer/identite/", entry.check_identity, name="identity-check"),
    path("entrer/oui/", entry.confirm_identity, name="identity-confirm"),
    path("entrer/non/", entry.deny_identity, name="identity-deny"),
    path("salle/<int:hosting_id>/", room.show_room, name="room-show"),
    path("salle/<int:hosting_id>/place/<int:seat_id>/", room.show_seat, name="seat-show"),
    path("salle/<int:hosting_id>/place/<int:seat_id>/identite/", room.reveal_identity, name="seat-reveal"),
    path("salle/<int:hosting_id>/coupons.pdf", papers.slips_pdf, name="slips-pdf"),
    path("salle/<int:hosting_id>/articles.pdf", papers.articles_pdf, name="articles-pdf"),
    path("salle/<int:hosting_id>/place/<int:seat_id>/coupon.pdf", papers.slip_pdf, name="slip-pdf"),
    path("salle/<int:hosting_id>/preuve/", witness.show_checkpoint, name="checkpoint-show"),
    path("salle/<int:hosting_id>/preuve.json", witness.export_checkpoints, name="checkpoint-export"),
    path("salle/<int:hosting_id>/<slug:act>/", room.act, name="room-act"),
    path("national/limites/", limits.list_limits, name="limit-list"),
    path("national/limites/etat/", limits.show_state, name="limit-state"),
    path("national/limites/fixer/", limits.change_limit, name="limit-change"),
    path("national/limites/proposer/", limits.propose, name="guard-propose"),
    path("national/limites/confirmer/", limits.confirm, name="guard-confirm"),
    path("national/", national.show_board, name="national-board"),
    path("national/<int:sitting_id>/ouvrir/", national.open_everywhere, name="national-open"),
    path("national/<int:sitting_id>/temps/", national.grant_everywhere, name="national-grant"),
]
