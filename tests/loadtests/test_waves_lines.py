"""The generator's own HTTP and websocket, byte by byte: what a server may send, in any slices."""

import hashlib
import json

import pytest

from loadtests.waves.lines import CLOSE, PING, PONG, TEXT, Broken, Link, Page, Visitor, frame, parse_frame

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.fixture
def visitor():
    return Visitor("http://127.0.0.1:8000", "127.0.0.1")


def slices(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def served(kind, payload):
    size = len(payload)
    head = bytes([0x80 | kind, size]) if size < 126 else bytes([0x80 | kind, 126]) + size.to_bytes(2, "big")
    return head + payload


def unmasked(data):
    size, start = data[1] & 0x7F, 2
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 4
    mask, body = data[start : start + 4], data[start + 4 : start + 4 + size]
    assert data[1] & 0x80
    return data[0] & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_is_read_in_any_slices_and_keeps_its_cookies(visitor, size):
    page = Page(visitor)
    page.ask("GET", "/entrer/")
    assert page.wanted
    assert page.outgoing.startswith(b"GET /entrer/ HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: csrftoken=abc; Path=/\r\n\r\nhello"
    answers = [page.receive(part) for part in slices(raw, size)]
    (answer,) = [answer for answer in answers if answer]
    assert (answer.status, answer.body, answer.size) == (200, b"hello", 5)
    assert visitor.cookies == {"csrftoken": "abc"}
    assert not page.is_waiting


def test_a_form_travels_with_its_length_and_the_cookies(visitor):
    visitor.cookies["csrftoken"] = "abc"
    page = Page(visitor)
    page.ask("POST", "/entrer/oui/", b"code=X")
    head, _, body = page.outgoing.partition(b"\r\n\r\n")
    assert b"Cookie: csrftoken=abc" in head
    assert b"Content-Length: 6" in head
    assert body == b"code=X"


def test_a_long_body_is_summed_up_and_not_kept(visitor):
    page, body = Page(visitor), b"x" * 300_000
    page.ask("GET", "/sujets/a.ecni", keep=False)
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body
    (answer,) = [answer for part in slices(raw, 65_536) if (answer := page.receive(part))]
    assert (answer.body, answer.size, answer.digest) == (b"", 300_000, hashlib.sha256(body).hexdigest())


def test_a_redirection_without_a_body_and_a_chunked_page(visitor):
    page = Page(visitor)
    page.ask("POST", "/entrer/oui/", b"code=X")
    answer = page.receive(b"HTTP/1.1 302 Found\r\nLocation: /copie/\r\nContent-Length: 0\r\n\r\n")
    assert (answer.status, answer.headers["location"]) == (302, "/copie/")
    page.ask("GET", "/copie/")
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    (answer,) = [answer for part in slices(raw, 9) if (answer := page.receive(part))]
    assert answer.body == b"abcde"


def test_a_connection_lost_in_the_middle_is_an_answer_of_its_own(visitor):
    page = Page(visitor)
    page.ask("GET", "/entrer/")
    serial = page.serial
    assert page.receive(b"HTTP/1.1 200 OK\r\nContent-Le") is None
    assert page.lost().status == 0
    assert (page.wanted, page.serial) == (False, serial + 1)
    assert page.lost() is None


def test_what_is_no_answer_is_broken(visitor):
    page = Page(visitor)
    page.ask("GET", "/entrer/")
    with pytest.raises(Broken):
        page.receive(b"SSH-2.0\r\n\r\n")


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 4000])
def test_a_frame_is_masked_and_says_its_length(size):
    payload = bytes(place % 251 for place in range(size))
    assert unmasked(frame(TEXT, payload)) == (TEXT, payload)


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_a_link_reads_texts_answers_pings_and_hears_the_close(visitor, size):
    link = Link(visitor)
    link.call("/ws/copie/")
    assert b"Upgrade: websocket" in link.outgoing
    link.outgoing = b""
    long = json.dumps({"t": "state", "text": "é" * 200})
    raw = SWITCHING + served(TEXT, b'{"t":"ack"}') + served(PING, b"hi") + served(TEXT, long.encode())
    texts = [
        text for part in slices(raw + served(CLOSE, (4409).to_bytes(2, "big")), size) for text in link.receive(part)
    ]
    assert texts == ['{"t":"ack"}', long]
    assert unmasked(link.outgoing[:8])[0] == PONG
    assert (link.is_up, link.code, link.wanted) == (True, 4409, False)


def test_a_handshake_that_is_refused_tells_its_status(visitor):
    link = Link(visitor)
    link.call("/ws/copie/")
    with pytest.raises(Broken):
        link.receive(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    assert (link.status, link.is_up) == (503, False)


def test_fragments_and_masks_from_a_server_are_broken():
    with pytest.raises(Broken):
        parse_frame(bytes([TEXT, 1]) + b"a")
    with pytest.raises(Broken):
        parse_frame(frame(TEXT, b"a"))
    assert parse_frame(b"\x81") is None
