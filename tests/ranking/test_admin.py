import pytest
from django.urls import reverse

from ecni.accounts.enums import Role
from tests.factories.exams import user
from tests.factories.grading import PERFECT, publish, ranked_exam

MODELS = ("grading_markingrun", "grading_markingchunk", "ranking_rankingrun", "ranking_publication")


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("role", "status"), [(Role.AGENCY, 200), (Role.COUNCIL, 403)])
def test_administration_shows_runs_to_those_who_follow_them_and_lets_nobody_write(client, model, role, status):
    run = ranked_exam(user("auteur", Role.AGENCY), {"K2-0001": PERFECT})
    publish(run, user("jury", Role.JURY), user("agence", Role.AGENCY))
    client.force_login(user("quelqu'un", role, is_staff=True))
    assert client.get(reverse(f"admin:{model}_changelist")).status_code == status
    assert client.get(reverse(f"admin:{model}_add")).status_code == 403
