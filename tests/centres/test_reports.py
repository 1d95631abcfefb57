"""Slips on paper: one page each, data never read as markup, a QR that says the code in the fragment, a tagged PDF."""

import re
import zlib

import pytest
import segno
from django.test import Client

from centres.models import Centre
from centres.queries.slips import printed_slips
from centres.reports import _pages, entry_url, slips_document
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed, User
from tests.factories.centres import make_hosting, make_staff

BASE = "https://ecni.exemple.fr/"


def pages(pdf):
    found = re.findall(rb"stream\r?\n(x.*?)endstream", pdf, re.DOTALL)
    streams = [zlib.decompressobj().decompress(one) for one in found]  # whose last byte may look like the end of a line
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf + b"".join(streams)))


@pytest.mark.django_db
def test_slips_document_has_a_page_for_each_slip_and_is_tagged():
    hosting = make_hosting(count=7)
    pdf = slips_document(hosting, printed_slips(hosting.pk), BASE)
    assert pdf.startswith(b"%PDF-")
    assert pages(pdf) == 7
    assert b"/StructTreeRoot" in pdf
    assert b"/Lang" in pdf


@pytest.mark.django_db
def test_slips_say_room_seat_code_and_address_in_order():
    hosting = make_hosting(count=3)
    slips = printed_slips(hosting.pk)
    assert [slip.seat_number for slip in slips] == [1, 2, 3]
    page = next(_pages(slips, BASE))
    assert page["code"].replace("-", "") == slips[0].code
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", page["code"])
    assert page["results_code"] != page["code"]
    url = f"{BASE}entrer/#{slips[0].code}"
    assert entry_url(BASE, slips[0].code) == url
    assert page["qr"] == segno.make(url, error="m", micro=False).svg_inline(border=0, scale=1, omitsize=True)


@pytest.mark.django_db
def test_slips_take_names_as_data_never_as_markup():
    hosting = make_hosting(count=1)
    Centre.objects.update(name='#panic("pwned") $x$ */ "\\')
    hosting.centre.refresh_from_db()
    assert pages(slips_document(hosting, printed_slips(hosting.pk), BASE)) == 1


@pytest.mark.django_db
def test_printing_is_for_heads_and_is_logged():
    hosting = make_hosting(count=2)
    path = f"/salle/{hosting.pk}/coupons.pdf"
    for role, status in ((Role.INVIGILATOR, 403), (Role.OPS, 403), (Role.CENTRE_HEAD, 200)):
        client = Client()
        client.force_login(make_staff(role, hosting.centre))
        response = client.get(path)
        assert response.status_code == status
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    deed = Deed.objects.get(verb="print_slips")
    assert (deed.actor, deed.data) == (User.objects.get(role=Role.CENTRE_HEAD), {"slips": 2})
