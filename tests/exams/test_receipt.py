import pytest

from exams.reports import qr_svg
from exams.tickets import COOKIE, Ticket, mint_ticket

HEAD = "ab" * 32


def ask(client, query):
    client.cookies[COOKIE] = mint_ticket(Ticket(12, 1, 5, 3, "K7-4302"))
    return client.get(f"/copie/recu.svg{query}")


def test_the_qr_says_sitting_number_and_head_without_any_query(client):
    response = ask(client, f"?tete={HEAD}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.content.decode() == qr_svg(f"ECNI1:3:K7-4302:{HEAD}")


@pytest.mark.parametrize("query", ["", "?tete=", f"?tete={HEAD.upper()}", f"?tete={HEAD}0", f"?tete={'zz' * 32}"])
def test_what_is_no_head_is_refused_with_its_reason(client, query):
    response = ask(client, query)
    assert (response.status_code, response.content.decode()) == (
        400,
        "tete : 64 chiffres hexadécimaux en minuscules sont attendus.",
    )


@pytest.mark.parametrize(
    "cookie",
    [None, "", "forged", pytest.param(mint_ticket(Ticket(12, 1, 5, 3, "K7-4302"))[:-2], id="damaged")],
)
def test_without_a_ticket_nothing_is_drawn(client, cookie):
    if cookie is not None:
        client.cookies[COOKIE] = cookie
    response = client.get(f"/copie/recu.svg?tete={HEAD}")
    assert (response.status_code, response.content.decode()) == (401, "Cette tablette n’a pas de copie.")


def test_posting_is_refused(client):
    assert client.post("/copie/recu.svg").status_code == 405


def test_a_qr_fills_its_frame_and_stays_dark_on_light():
    picture = qr_svg("ECNI1")
    assert picture.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ')
    assert ("width=" in picture.split(">")[0], 'fill="#fff"' in picture, "style=" in picture) == (False, True, False)
