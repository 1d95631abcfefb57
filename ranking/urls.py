"""Addresses of the rankings and of the results."""

from django.urls import path

from ranking.views import comparison, complaints, results, staff

app_name = "ranking"
urlpatterns = [
    path("classement/<int:exam_id>/", staff.show_ranking, name="ranking-show"),
    path("classement/<int:exam_id>/calculer/", staff.start_ranking, name="ranking-compute"),
    path("classement/<int:exam_id>/classement.csv", staff.export_ranking, name="ranking-export"),
    path("classement/<int:exam_id>/officiel/", staff.show_official_list, name="official-show"),
    path("classement/<int:exam_id>/officiel/<slug:form>/", staff.download_official_list, name="official-export"),
    path("classement/<int:exam_id>/et-si/", comparison.show_whatif, name="whatif-show"),
    path("classement/<int:exam_id>/comparer/", comparison.show_comparison, name="comparison-show"),
    path("classement/<int:exam_id>/regles/", staff.show_policy, name="policy-show"),
    path("classement/<int:exam_id>/groupes.csv", staff.export_groups, name="groups-export"),
    path("classement/<int:exam_id>/reclamations/", complaints.show_desk, name="complaint-list"),
    path("classement/<int:exam_id>/reclamations.csv", complaints.export_desk, name="complaint-export"),
    path("classement/<int:exam_id>/reclamations/<int:complaint_id>/", complaints.show_one, name="complaint-show"),
    path("classement/<int:exam_id>/reclamations/<int:complaint_id>/etape/", complaints.act, name="complaint-act"),
    path("classement/<int:run_id>/signer/", staff.sign, name="ranking-sign"),
    path("classement/<int:run_id>/lever/", staff.lift, name="anonymity-lift"),
    path("classement/<int:run_id>/retirer/", staff.withdraw, name="ranking-withdraw"),
    path("classement/<int:run_id>/preparer/", staff.prepare, name="pages-prepare"),
    path("classement/<int:run_id>/proposer/", staff.propose, name="publication-propose"),
    path("classement/<int:publication_id>/confirmer/", staff.confirm, name="publication-confirm"),
    path("classement/<int:publication_id>/retirer-proposition/", staff.withdraw_proposal, name="publication-withdraw"),
    path("resultats/", results.ask, name="results-ask"),
    path("resultats/entrer/", results.enter, name="results-enter"),
    path("resultats/copie/", results.show, name="results-show"),
    path("resultats/releve.<slug:form>", results.download, name="results-transcript"),
    path("resultats/reclamer/", results.complain, name="results-complain"),
    path("resultats/quitter/", results.leave, name="results-leave"),
    path("resultats/images/<str:token>", results.show_image, name="results-image"),
]
