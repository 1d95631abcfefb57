import pytest
from django.test import Client

from ecni.accounts.models import User

PASSWORD = "une longue phrase de passe"


@pytest.fixture
def _guarded(settings):
    settings.AXES_ENABLED = True


@pytest.fixture
def person(db):
    return User.objects.create_user(username="responsable", password=PASSWORD)


def log_in(password=PASSWORD, address="192.0.2.1"):
    return (
        Client(REMOTE_ADDR=address).post("/connexion/", {"username": "responsable", "password": password}).status_code
    )


@pytest.mark.usefixtures("_guarded", "person")
def test_staff_log_in_when_redis_is_away(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert log_in() == 302


@pytest.mark.usefixtures("_guarded", "person")
def test_wrong_passwords_lock_the_address_they_came_from_and_no_other():
    for _ in range(5):
        log_in(password="faux")
    assert log_in(address="192.0.2.1") == 429
    assert log_in(address="192.0.2.2") == 302
