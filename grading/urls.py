"""Addresses of the marking pages and of the jury's room."""

from django.urls import path

from grading.views import analysis, jury, marking, quarantine

app_name = "grading"
urlpatterns = [
    path("", marking.list_exams, name="exam-list"),
    path("<int:exam_id>/", marking.show_marking, name="marking-show"),
    path("<int:exam_id>/etat.json", marking.read_progress, name="marking-progress"),
    path("epreuve/<int:sitting_id>/noter/", marking.start_run, name="run-start"),
    path("<int:exam_id>/a-part/", quarantine.list_kept, name="kept-list"),
    path("<int:exam_id>/a-part.csv", quarantine.export_kept, name="kept-export"),
    path("epreuve/<int:sitting_id>/analyse/", analysis.show_analysis, name="analysis-show"),
    path("epreuve/<int:sitting_id>/analyse/export.csv", analysis.export_analysis, name="analysis-export"),
    path("analyse/<int:run_id>/<int:number>/", analysis.show_item, name="item"),
    path("analyse/<int:run_id>/<int:number>/image/<int:place>/", analysis.show_image, name="item-image"),
    path("<int:exam_id>/jury/", jury.show_jury, name="jury-show"),
    path("<int:exam_id>/jury/ouvrir/", jury.open_room, name="session-open"),
    path("<int:exam_id>/jury/appliquer/", jury.apply_decisions, name="decisions-apply"),
    path("<int:exam_id>/jury/questions/", jury.list_questions, name="question-list"),
    path("<int:exam_id>/jury/reponses/", jury.list_spellings, name="spelling-list"),
    path("jury/sujet/<int:paper_id>/<int:number>/", jury.show_question, name="question-show"),
    path("jury/sujet/<int:paper_id>/<int:number>/proposer/", jury.propose, name="proposal-submit"),
    path("jury/sujet/<int:paper_id>/<int:number>/remarquer/", jury.remark, name="remark-write"),
    path("jury/sujet/<int:paper_id>/<int:number>/classer/", jury.judge, name="spelling-judge"),
    path("jury/proposition/<int:proposal_id>/voter/", jury.vote, name="ballot-cast"),
    path("jury/proposition/<int:proposal_id>/decider/", jury.decide, name="vote-close"),
    path("jury/seance/<int:session_id>/signer/", jury.sign, name="minutes-sign"),
    path("jury/seance/<int:session_id>/proces-verbal.pdf", jury.download_minutes, name="minutes-download"),
]
