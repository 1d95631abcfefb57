"""The house is served by Daphne or uvicorn, under the strict policy, and its admin works in a browser."""

from urllib.request import urlopen

import pytest
from django.contrib.auth import get_user_model

from ecni.supervisor import SERVERS

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


@pytest.mark.parametrize("server_name", SERVERS)
def test_each_server_serves_the_house_with_every_protective_header(asgi_server):
    with urlopen(f"{asgi_server}/admin/login/", timeout=60) as response:
        headers = response.headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.browser
def test_admin_works_under_the_strict_policy(asgi_server, page):
    get_user_model().objects.create_superuser(username="agence", password="un mot de passe long")
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{asgi_server}/admin/")
    page.fill("#id_username", "agence")
    page.fill("#id_password", "un mot de passe long")
    page.click("input[type=submit]")
    page.wait_for_selector("#user-tools")
    page.goto(f"{asgi_server}/admin/accounts/user/add/")
    assert [complaint for complaint in complaints if "Content Security Policy" in complaint] == []
