"""Addresses of the rankings and of the results."""

from django.urls import path

from ranking.views import comparison, results, staff

app_name = "ranking"
urlpatterns = [
    path("classement/<int:exam_id>/", staff.show_ranking, name="ranking-show"),
    path("classement/<int:exam_id>/calculer/", staff.start_ranking, name="ranking-compute"),
    path("classement/<int:exam_id>/classement.csv", staff.export_ranking, name="ranking-export"),
    path("classement/<int:exam_id>/officiel/", staff.show_official_list, name="official-show"),
    path("classement/<int:exam_id>/officiel.csv", staff.download_official_list, name="official-export"),
    path("classement/<int:exam_id>/et-si/", comparison.show_whatif, name="whatif-show"),
    path("classement/<int:exam_id>/comparer/", comparison.show_comparison, name="comparison-show"),
    path("classement/<int:run_id>/proposer/", staff.propose, name="publication-propose"),
    path("classement/<int:publication_id>/confirmer/", staff.confirm, name="publication-confirm"),
    path("resultats/", results.ask, name="results-ask"),
    path("resultats/entrer/", results.enter, name="results-enter"),
    path("resultats/copie/", results.show, name="results-show"),
    path("resultats/quitter/", results.leave, name="results-leave"),
    path("resultats/images/<str:token>", results.show_image, name="results-image"),
]
