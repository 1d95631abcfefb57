"""Nothing is readable before its time: canaries in every text, looked for in everything that can be reached."""

import json
import logging
from base64 import b64decode, b64encode
from dataclasses import fields, is_dataclass, replace
from itertools import count
from pathlib import Path

import pytest
import redis
from asgiref.sync import sync_to_async
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.urls import reverse

from ecni.shared.clock import now
from exams.actions.centre_sitting import open_centre_sitting
from exams.actions.sheet import admit_sheet
from exams.consumers.hub import HubSource
from exams.consumers.socket import CandidateSocket
from exams.enums import OpKind, PropositionStatus
from exams.models import PaperKey
from exams.queries.fragments import Place, question_fragment
from exams.queries.papers import paper_keys
from exams.rules.content import Proposition
from tests.exams.test_socket import Tablet
from tests.factories.papers import CANARY, IMAGE, open_file, small_bank
from tests.journeys.addresses import ACTORS, all_addresses, build_house

OUTSIDERS = [actor for actor in ACTORS if actor not in {"agency", "council"}]
"""Who may read no text before the opening. The administration refuses each of them alike: see the access matrix."""

UPLOAD = {
    "format": "ecni-bank/1",
    "questions": [
        {
            "id": "QI-77",
            "kind": "QRU",
            "rank": "A",
            "item": 1,
            "specialty": "Urologie",
            "stem": "<p>TEXTE CANARI-D1 ?</p>",
            "explanation": "<p>TEXTE CANARI-D2.</p>",
            "propositions": [{"text": f"CANARI-D{n}", "status": "true" if n == 3 else "false"} for n in range(3, 8)],
        }
    ],
}


def planted(bank):
    """Return the bank with its canary made different in each text, so that a leak says which text leaked."""
    numbers = count(1)

    def plant(value):
        if isinstance(value, str):
            return value.replace(CANARY, f"CANARI-{next(numbers):03}-") if CANARY in value else value
        if isinstance(value, tuple):
            return tuple(plant(item) for item in value)
        if is_dataclass(value):
            return replace(value, **{field.name: plant(getattr(value, field.name)) for field in fields(value)})
        return value

    return plant(bank)


def texts_of(content):
    return json.dumps(content, ensure_ascii=False, default=lambda item: [getattr(item, f.name) for f in fields(item)])


def spellings(text):
    """The canary as it is, as PostgreSQL shows bytes, and in base64 at each of the three alignments."""
    plain = text.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        encoded = b64encode(b"x" * shift + plain).rstrip(b"=")
        yield encoded[(shift * 8 + 5) // 6 : -1]


NEEDLES = [needle for text in ("CANARI-", "EXPLICATION", "TEXTE ") for needle in spellings(text)]


def leaks(data):
    raw = data if isinstance(data, bytes) else data.encode()
    return [needle for needle in NEEDLES if needle in raw]


def tables():
    """Dump every table as text, as a stolen backup would show it."""
    names = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for name in names:
            chunks = []
            cursor.copy_expert(f'COPY (SELECT * FROM "{name}") TO STDOUT', _Sink(chunks))
            yield name, b"".join(chunks)


class _Sink:
    def __init__(self, chunks):
        self.write = lambda data: chunks.append(data if isinstance(data, bytes) else data.encode())


def redis_contents():
    """Read every key of the three databases of the house: cache, hints, tasks."""
    urls = {
        settings.CACHES["default"]["LOCATION"],
        settings.REDIS_HINTS_URL,
        settings.CELERY["broker_url"],
    }
    readers = {
        b"string": lambda store, key: [store.get(key)],
        b"hash": lambda store, key: [part for pair in store.hgetall(key).items() for part in pair],
        b"list": lambda store, key: store.lrange(key, 0, -1),
        b"set": lambda store, key: store.smembers(key),
        b"zset": lambda store, key: store.zrange(key, 0, -1),
        b"stream": lambda store, key: [str(entry).encode() for entry in store.xrange(key)],
    }
    for url in sorted(urls):
        with redis.Redis.from_url(url) as store:
            for key in store.scan_iter():
                yield key, b"\n".join([key, *readers[store.type(key)](store, key)])


@pytest.fixture(autouse=True)
def papers_root(settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    return tmp_path


def test_the_needles_find_a_canary_however_it_is_written():
    for text in (b"a CANARI-1", b"a CANARI-1".hex().encode(), *(b64encode(b"y" * n + b"CANARI-12") for n in range(6))):
        assert leaks(text)
    assert not leaks(b"anything else")


@pytest.mark.django_db
def test_before_opening_nothing_at_rest_and_no_page_shows_a_text(papers_root, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    house = build_house(planted(small_bank()), with_results=False)
    upload = SimpleUploadedFile("banque.json", json.dumps(UPLOAD).encode())
    page = house.client("agency").post(reverse("admin:exams_question_import"), {"file": upload})
    assert "QI-77" in page.content.decode()
    assert [path.name for path in papers_root.iterdir()] == [f"{house.paper.digest}.ecni"]
    assert leaks(file_of(house, papers_root)) == []
    shown = [
        (actor, address.name)
        for address in all_addresses(house)
        for actor in OUTSIDERS
        if (actor == "anonymous" or not address.name.startswith("admin:"))
        and leaks(house.client(actor).get(address.path).content)
    ]
    assert shown == []
    dump = dict(tables())
    assert {"exams_question", "exams_case", "exams_media", "exams_paperkey", "django_session"} <= dump.keys()
    assert {name: leaks(data) for name, data in dump.items() if leaks(data)} == {}
    stored = dict(redis_contents())
    assert any(b"bank-upload" in key for key in stored)
    assert {key: leaks(data) for key, data in stored.items() if leaks(data)} == {}
    assert leaks(caplog.text) == []
    assert leaks("".join(capfd.readouterr())) == []


@pytest.mark.django_db
def test_no_key_of_a_paper_is_kept_in_clear(papers_root):
    house = build_house(planted(small_bank()), with_results=False)
    keys = paper_keys(house.paper.pk).values()
    places = dict(tables()) | dict(redis_contents())
    places["file"] = file_of(house, papers_root)
    for key in keys:
        spelt = (key, key.hex().encode(), b64encode(key))
        assert [name for name, data in places.items() if any(text in data for text in spelt)] == []
    assert PaperKey.objects.filter(paper=house.paper).count() == len(keys) == 3


@pytest.mark.django_db
def test_one_share_alone_opens_nothing(settings):
    house = build_house(planted(small_bank()), with_results=False)
    settings.KEY_SHARE_2 = "another share, of somebody who is not the second officer"
    with pytest.raises(InvalidTag):
        paper_keys(house.paper.pk)
    with pytest.raises(InvalidTag):
        list(type(house.places["exams.question"]).objects.values_list("content"))


@pytest.mark.parametrize("status", PropositionStatus)
def test_the_fragment_of_a_question_does_not_depend_on_its_key(status):
    for asked in planted(small_bank()).questions:
        lines = tuple(Proposition(line.text, status) for line in asked.content.propositions)
        other = replace(asked.content, propositions=lines, explanation="<p>Autre</p>")
        place = Place(1)
        assert question_fragment(asked.kind, other, place) == question_fragment(asked.kind, asked.content, place)


# A whole case on a real socket


class Spy(Tablet):
    """A tablet that keeps every byte it is sent, and tries every key it has been given on every blob."""

    def __init__(self, application, sheet):
        super().__init__(application, sheet)
        self.frames, self.keys, self.opened = [], [], {}

    async def event(self):
        event = await super().event()
        self.frames.append(event.get("text", ""))
        return event

    def read_everything(self, file):
        header, read = open_file(file)
        numbers = [0, *(entry["number"] for entry in header["questions"])]
        received = {key for text in self.frames if text for key in json.loads(text).get("keys", {}).values()}
        keys, tried = {b64decode(key) for key in received}, set()
        while keys - tried:
            for key in sorted(keys - tried):
                tried.add(key)
                for number in numbers:
                    try:
                        self.opened[number] = read(number, key)
                    except InvalidTag:
                        continue
                    keys |= {b64decode(text) for text in self.opened[number].get("keys", {}).values()}
        return set(self.opened) - {0}


@pytest.fixture
async def application(transactional_db):
    hub = HubSource()
    yield CandidateSocket(hub)
    hub.stop()
    await sync_to_async(connections.close_all)()


def lobby():
    bank = planted(small_bank())
    house = build_house(bank, with_results=False)
    sheet = house.hosting.centre_sitting.sheets.order_by("pk").first()
    admit_sheet(sheet_id=sheet.pk, actor=house.staff["agency"], now=now())
    return bank, house, sheet


def file_of(house, papers_root):
    return (papers_root / f"{house.paper.digest}.ecni").read_bytes()


def open_doors(house):
    centre_sitting_id = house.hosting.centre_sitting_id
    open_centre_sitting(centre_sitting_id=centre_sitting_id, actor=house.staff["agency"], now=now())


@pytest.mark.django_db(transaction=True)
async def test_before_opening_the_socket_gives_nothing_to_read(application, papers_root):
    _bank, house, sheet = await sync_to_async(lobby)()
    spy = Spy(application, sheet)
    state = await spy.hello()
    assert (state["status"], state["keys"]) == ("ADMITTED", {})
    await spy.send({"t": "ready", "paper": state["paper"]["digest"]})
    await spy.receive("status")
    assert (await spy.act(OpKind.SEAL, 3, ""))["code"] == "not-open"
    assert leaks("".join(spy.frames)) == []
    assert spy.read_everything(file_of(house, papers_root)) == set()


@pytest.mark.django_db(transaction=True)
async def test_a_case_opens_step_by_step(application, papers_root):
    bank, house, sheet = await sync_to_async(lobby)()
    await sync_to_async(open_doors)(house)
    file, spy = file_of(house, papers_root), Spy(application, sheet)
    await spy.hello()
    assert spy.read_everything(file) == {1, 2, 3}
    for number in (4, 5):
        hidden = json.dumps(spy.opened, ensure_ascii=False)
        unseen = [part for question in bank.cases[0].questions[number - 3 :] for part in canaries(texts_of(question))]
        assert unseen
        assert [part for part in unseen if part in hidden] == []
        assert (await spy.act(OpKind.SEAL, number, ""))["code"] == "locked"
        spy.chain = rewound(spy.chain)
        await spy.act(OpKind.ANSWER, number - 1, "A")
        assert spy.read_everything(file) == set(range(1, number))
        assert (await spy.act(OpKind.SEAL, number - 1, ""))["t"] == "ack"
        assert spy.read_everything(file) == set(range(1, number + 1))


@pytest.mark.django_db(transaction=True)
async def test_the_correction_key_is_never_on_the_candidates_side(application, papers_root):
    bank, house, sheet = await sync_to_async(lobby)()
    await sync_to_async(open_doors)(house)
    file, spy = file_of(house, papers_root), Spy(application, sheet)
    await spy.hello()
    for number in (3, 4, 5):
        await spy.act(OpKind.ANSWER, number, "A")
        await spy.act(OpKind.SEAL, number, "")
    assert (await spy.act(OpKind.SUBMIT, 0, ""))["t"] == "ack"
    again = Spy(application, sheet)
    await again.hello()
    assert spy.read_everything(file) == again.read_everything(file) == {1, 2, 3, 4, 5}
    seen = json.dumps(spy.opened | again.opened, ensure_ascii=False) + "".join(spy.frames + again.frames)
    asked = [*bank.questions, *bank.cases[0].questions]
    assert all(canaries(line.text)[0] in seen for question in asked for line in question.content.propositions)
    assert b64encode(IMAGE).decode() in seen
    assert [part for question in asked for part in canaries(question.content.explanation) if part in seen] == []
    assert [word for word in ("EXPLICATION", "TITRE", '"explanation"', '"propositions": [{') if word in seen] == []
    assert not {f'"{status.value}"' for status in PropositionStatus} & set(seen.split())


def canaries(text):
    return [f"CANARI-{part[:4]}" for part in text.split("CANARI-")[1:]]


def rewound(chain):
    """Take back the last op of a chain: it was refused."""
    chain.seq -= 1
    chain.digests.pop()
    return chain


@pytest.mark.django_db(transaction=True)
async def test_a_seal_that_is_not_stored_releases_no_key(application, papers_root, monkeypatch):
    _bank, house, sheet = await sync_to_async(lobby)()
    await sync_to_async(open_doors)(house)
    file, spy = file_of(house, papers_root), Spy(application, sheet)
    await spy.hello()
    op = spy.chain.op(OpKind.SEAL, 3, "")
    forged = replace(op, digest=bytes(32))
    await spy.send_op(forged)
    assert (await spy.receive("refused", "ack"))["code"] == "digest"
    monkeypatch.setattr("exams.consumers.hub.append_ops", lambda **_batch: {sheet.pk: "busy"})
    await spy.send_op(op)
    assert (await spy.receive("refused", "ack"))["code"] == "busy"
    assert spy.read_everything(file) == {1, 2, 3}


def test_the_paper_of_the_demonstration_is_not_in_the_static_files():
    root = Path(settings.BASE_DIR)
    assert [path for folder in ("static", "templates") for path in (root / folder).rglob("*.ecni")] == []
