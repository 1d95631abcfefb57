"""Every address, by everybody: what the table below does not allow is refused, and refusals change nothing."""

import re

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.urls import reverse

from centres.actions.room import NotAllowed
from ecni.accounts.models import Deed
from ecni.shared.appendonly import AppendOnly
from tests.factories.papers import CANARY
from tests.journeys.addresses import ACTORS, ROLES, all_addresses, all_routes, build_house, fingerprint

pytestmark = pytest.mark.django_db

NOBODY = frozenset()
EVERYBODY = frozenset(ACTORS)
STAFF = frozenset(ROLES)
AGENCY = frozenset({"agency"})
AUTHORS = AGENCY | {"council"}
MEMBERS = frozenset({"jury", "president"})
PRESIDENT = frozenset({"president"})
JURY = AGENCY | MEMBERS
HEADS = AGENCY | {"head"}
ROOM = HEADS | {"invigilator"}
WATCHERS = ROOM | {"ops"}
NATION = AGENCY | {"ops"}
VISITOR = frozenset({"visitor"})

ALLOWED = {
    # name of the address: (who may GET it, who may POST to it)
    "exams:tablet-show": (EVERYBODY, NOBODY),
    "exams:worker-show": (EVERYBODY, NOBODY),
    "watch:board-show": (NATION, NOBODY),
    "watch:state-show": (NATION, NOBODY),
    "exams:paper-fetch": (EVERYBODY, NOBODY),
    "exams:receipt-show": (frozenset({"candidate"}), NOBODY),
    "centres:home": (STAFF, NOBODY),
    "centres:staff-login": (EVERYBODY, EVERYBODY),
    "centres:staff-logout": (NOBODY, EVERYBODY),
    "centres:slip-enter": (EVERYBODY, NOBODY),
    "centres:unanswered-show": (EVERYBODY, NOBODY),
    "centres:worker-show": (EVERYBODY, NOBODY),
    "centres:turn-wait": (EVERYBODY, NOBODY),
    "centres:identity-check": (NOBODY, EVERYBODY),
    "centres:identity-confirm": (NOBODY, EVERYBODY),
    "centres:identity-deny": (NOBODY, EVERYBODY),
    "centres:room-show": (WATCHERS, NOBODY),
    "centres:seat-show": (WATCHERS, NOBODY),
    "centres:seat-reveal": (NOBODY, ROOM),
    "centres:slips-pdf": (HEADS, NOBODY),
    "centres:articles-pdf": (HEADS, NOBODY),
    "centres:slip-pdf": (ROOM, NOBODY),
    "centres:checkpoint-show": (ROOM, NOBODY),
    "centres:checkpoint-export": (ROOM, NOBODY),
    "centres:room-act accueillir": (NOBODY, HEADS),
    "centres:room-act ouvrir": (NOBODY, HEADS),
    "centres:room-act pause": (NOBODY, HEADS),
    "centres:room-act reprendre": (NOBODY, HEADS),
    "centres:room-act temps": (NOBODY, HEADS),
    "centres:room-act temps-tous": (NOBODY, HEADS),
    "centres:room-act clore": (NOBODY, HEADS),
    "centres:room-act admettre": (NOBODY, ROOM),
    "centres:room-act admettre-tous": (NOBODY, ROOM),
    "centres:room-act absents": (NOBODY, ROOM),
    "centres:room-act liberer": (NOBODY, ROOM),
    "centres:room-act appel": (NOBODY, ROOM),
    "centres:room-act incident": (NOBODY, ROOM),
    "centres:national-board": (NATION, NOBODY),
    "centres:limit-list": (NATION, NOBODY),
    "centres:limit-state": (NATION, NOBODY),
    "centres:limit-change": (NOBODY, NATION),
    "centres:guard-propose": (NOBODY, NATION),
    "centres:guard-confirm": (NOBODY, NATION),
    "centres:national-open": (NOBODY, AGENCY),
    "centres:national-grant": (NOBODY, AGENCY),
    "grading:exam-list": (JURY, NOBODY),
    "grading:marking-show": (JURY, NOBODY),
    "grading:marking-progress": (JURY, NOBODY),
    "grading:kept-export": (JURY, NOBODY),
    "grading:kept-list": (JURY, NOBODY),
    "grading:run-start": (NOBODY, AGENCY),
    "grading:jury-show": (JURY, NOBODY),
    "grading:session-open": (NOBODY, PRESIDENT),
    "grading:decisions-apply": (NOBODY, AGENCY),
    "grading:question-list": (JURY, NOBODY),
    "grading:question-show": (JURY, NOBODY),
    "grading:proposal-submit": (NOBODY, MEMBERS),
    "grading:remark-write": (NOBODY, MEMBERS),
    "grading:spelling-list": (JURY, NOBODY),
    "grading:spelling-judge": (NOBODY, MEMBERS),
    "grading:ballot-cast": (NOBODY, MEMBERS),
    "grading:vote-close": (NOBODY, PRESIDENT),
    "grading:minutes-sign": (NOBODY, PRESIDENT),
    "grading:minutes-download": (JURY, NOBODY),
    "ranking:whatif-show": (JURY, NOBODY),
    "ranking:comparison-show": (JURY, NOBODY),
    "grading:analysis-show": (JURY, NOBODY),
    "grading:analysis-export": (JURY, NOBODY),
    "grading:item": (JURY, NOBODY),
    "grading:item-image": (JURY, NOBODY),
    "ranking:ranking-show": (JURY, NOBODY),
    "ranking:ranking-compute": (NOBODY, JURY),
    "ranking:ranking-export": (JURY, NOBODY),
    "ranking:official-show": (AGENCY, NOBODY),
    "ranking:official-export": (NOBODY, AGENCY),
    "ranking:policy-show": (AGENCY, AGENCY),
    "ranking:groups-export": (JURY, NOBODY),
    "ranking:complaint-list": (AGENCY, NOBODY),
    "ranking:complaint-export": (AGENCY, NOBODY),
    "ranking:complaint-show": (AGENCY, NOBODY),
    "ranking:complaint-act": (NOBODY, AGENCY),
    "ranking:ranking-sign": (NOBODY, frozenset({"president"})),
    "ranking:anonymity-lift": (NOBODY, AGENCY | {"jury"}),
    "ranking:ranking-withdraw": (NOBODY, frozenset({"president"})),
    "ranking:pages-prepare": (NOBODY, JURY),
    "ranking:results-transcript": (VISITOR, NOBODY),
    "ranking:results-complain": (NOBODY, VISITOR),
    "ranking:publication-propose": (NOBODY, JURY),
    "ranking:publication-confirm": (NOBODY, JURY),
    "ranking:publication-withdraw": (NOBODY, JURY),
    "ranking:results-ask": (EVERYBODY, NOBODY),
    "ranking:results-enter": (NOBODY, EVERYBODY),
    "ranking:results-show": (VISITOR, NOBODY),
    "ranking:results-leave": (NOBODY, EVERYBODY),
    "ranking:results-image": (VISITOR, NOBODY),
    "admin:index": (AUTHORS, AUTHORS),
    "admin:login": (EVERYBODY, EVERYBODY),
    "admin:logout": (EVERYBODY - AUTHORS, EVERYBODY),  # strangers are led to the index, which asks for a name
    "admin:password_change": (AUTHORS, AUTHORS),
    "admin:password_change_done": (AUTHORS, NOBODY),
    "admin:autocomplete": (AUTHORS, NOBODY),
    "admin:jsi18n": (AUTHORS, NOBODY),
    "admin:view_on_site": (NOBODY, NOBODY),
    "admin:app_list": (AUTHORS, AUTHORS),
    "admin:elsewhere": (NOBODY, NOBODY),
    "admin:auth_user_password_change": (AGENCY, AGENCY),
    "admin:exams_question_import": (AUTHORS, AUTHORS),
    "admin:exams_question_preview": (AUTHORS, AUTHORS),
    "admin:exams_case_preview": (AUTHORS, AUTHORS),
    "admin:exams_media_image": (AUTHORS, AUTHORS),
    "admin:exams_exam_preset": (AGENCY, AGENCY),
    "admin:exams_paper_seal": (AUTHORS, AUTHORS),
    "admin:centres_hosting_seat": (AGENCY, AGENCY),
    "admin:centres_candidate_import": (AGENCY, AGENCY),
    "admin:centres_candidate_standing": (AGENCY, AGENCY),
    "admin:otp_totp_totpdevice_config": (NOBODY, NOBODY),
    "admin:otp_totp_totpdevice_qrcode": (NOBODY, NOBODY),
}

ADMINISTERED = {
    # model: (whose role looks at its rows, what they may do beside looking, the actions on a selection)
    "accounts.user": (AGENCY, "add change", ()),
    "accounts.deed": (AGENCY, "", ()),
    "exams.question": (AUTHORS, "add change", ()),
    "exams.case": (AUTHORS, "change", ()),
    "exams.media": (AUTHORS, "add change", ()),
    "exams.exam": (AGENCY, "add change delete", ("delete_selected",)),
    "exams.sitting": (AGENCY, "add change delete", ("delete_selected",)),
    "exams.paper": (AUTHORS, "add change delete", ()),
    "exams.centresitting": (AGENCY, "", ()),
    "exams.sheet": (AGENCY, "", ()),
    "exams.timegrant": (AGENCY, "", ()),
    "exams.pause": (AGENCY, "", ()),
    "exams.frozensheet": (AGENCY, "", ()),
    "exams.refusedop": (AGENCY, "", ()),
    "centres.centre": (AGENCY, "add change delete", ("delete_selected", "export")),
    "centres.hosting": (AGENCY, "", ()),
    "centres.incident": (AGENCY, "", ()),
    "centres.candidate": (AGENCY, "change delete", ("delete_selected", "export")),
    "grading.markingrun": (JURY, "", ()),
    "grading.markingchunk": (JURY, "", ()),
    "ranking.rankingrun": (JURY, "", ()),
    "ranking.publication": (JURY, "", ()),
    "ranking.rankingpolicy": (JURY, "", ()),
    "ranking.rankingsignature": (JURY, "", ()),
    "ranking.anonymitylift": (JURY, "", ()),
    "ranking.rankingwithdrawal": (JURY, "", ()),
    "ranking.specialtygroup": (AGENCY, "add change delete", ("delete_selected",)),
    "axes.accessattempt": (NOBODY, "", ()),
    "axes.accesslog": (NOBODY, "", ()),
    "axes.accessfailurelog": (NOBODY, "", ()),
    "otp_static.staticdevice": (NOBODY, "", ()),
    "otp_totp.totpdevice": (NOBODY, "", ()),
}
"""The administration, model by model. Only authors enter it; a row's own address only redirects inside it."""

for _model, (_whose, _may, _actions) in ADMINISTERED.items():
    _who, _name = _whose & AUTHORS, f"admin:{_model.replace('.', '_')}"
    ALLOWED |= {
        f"{_name}_changelist": (_who, _who),
        f"{_name}_history": (_who, _who),
        f"{_name}_object": (AUTHORS, AUTHORS),
        f"{_name}_change": (_who, _who if "change" in _may else NOBODY),
        f"{_name}_add": (_who if "add" in _may else NOBODY,) * 2,
        f"{_name}_delete": (_who if "delete" in _may else NOBODY,) * 2,
    }

QUERIES = {"admin:autocomplete": {"app_label": "exams", "model_name": "paperunit", "field_name": "question"}}
ROW_BEFORE_UPDATE_OR_DELETE = 1 | 2 | 8 | 16
"""Bits of `pg_trigger.tgtype`."""

DOORS = re.compile(r"/(connexion|admin/login)/\?next=")
INLINE = re.compile(
    r"<script(?![^>]*(?:\bsrc=|application/json))|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)
FOREIGN = re.compile(r"""(?:src|href|action)=["']?(?:https?:)?//(?!testserver)""", re.IGNORECASE)


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker, tmp_path_factory):
    """Stand for the whole module, in one transaction that is undone at the end."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr("django.conf.settings.PAPERS_ROOT", tmp_path_factory.mktemp("papers"))
        yield build_house()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def addresses(house):
    return all_addresses(house)


def ask(house, actor, method, address, **options):
    """Ask as a browser that follows nothing."""
    client = house.client(actor, **options)
    if address.name.startswith("centres:room-act"):
        seat = house.hosting.seats.order_by("pk").first().pk
        data = {"seats": seat, "minutes": "5", "reason": "essai", "text": "essai"}
        return getattr(client, method.lower())(address.path, data, headers={"accept": "application/json"})
    return getattr(client, method.lower())(address.path, QUERIES.get(address.name))


def is_refused(method, response):
    location = response.headers.get("Location", "")
    if response.status_code == 302:
        said = [str(message) for message in get_messages(response.wsgi_request)]
        is_door = DOORS.match(location) or (method == "GET" and location == reverse("ranking:results-ask"))
        return bool(is_door) or NotAllowed.text in said
    if response.status_code == 409:
        return response.json()["code"] == NotAllowed.code
    return response.status_code in {401, 403, 404, 405}


def allowed(actor, method, address):
    return actor in ALLOWED.get(address.name, (NOBODY, NOBODY))[method == "POST"]


def told(actor, method, address, response):
    return f"{actor} {method} {address.name} {address.path}: {response.status_code}"


def test_every_address_is_in_the_table():
    names = {address.name for address in all_routes()}
    assert names - ALLOWED.keys() == set(), "say in ALLOWED or ADMINISTERED who may use these addresses"
    assert ALLOWED.keys() - names == set(), "these addresses are gone: take them out of the table"


@pytest.mark.parametrize("actor", ACTORS)
def test_what_the_table_does_not_allow_is_refused_and_changes_nothing(house, addresses, actor):
    before = fingerprint()
    wrong = []
    for address in addresses:
        for method in ("GET", "POST"):
            if not allowed(actor, method, address):
                response = ask(house, actor, method, address)
                wrong += [] if is_refused(method, response) else [told(actor, method, address, response)]
                assert CANARY not in response.content.decode(errors="replace")
    assert wrong == []
    assert fingerprint() == before


@pytest.mark.parametrize("actor", ACTORS)
def test_what_the_table_allows_is_answered_under_the_strict_policy_and_no_get_writes(house, addresses, actor):
    before, deeds = fingerprint(), set(Deed.objects.values_list("pk", flat=True))
    wrong = []
    for address in addresses:
        if allowed(actor, "GET", address):
            response = ask(house, actor, "GET", address)
            wrong += [told(actor, "GET", address, response)] if is_refused("GET", response) else []
            wrong += [f"{address.path}: {fault}" for fault in faults_of_page(response)]
            assert actor in AUTHORS or CANARY not in response.content.decode(errors="replace")
    assert wrong == []
    after = fingerprint()
    assert {name for name in after if after[name] != before[name]} <= {"accounts_deed"}
    assert {deed.verb for deed in Deed.objects.exclude(pk__in=deeds)} <= {"print_slips"}


def faults_of_page(response):
    """Say what of a page the strict policy would not allow."""
    policy = response.headers.get("Content-Security-Policy", "")
    yield from [f"policy {policy}"] if "default-src 'none'" not in policy else []
    yield from [f"policy {word}" for word in ("unsafe", "http", "*", "data:") if word in policy]
    if response.headers.get("Content-Type", "").startswith("text/html"):
        page = response.content.decode()
        yield from INLINE.findall(page)
        yield from FOREIGN.findall(page)


@pytest.mark.parametrize("actor", ACTORS)
def test_what_the_table_allows_to_post_needs_its_token(house, addresses, actor):
    wrong = []
    for address in addresses:
        if allowed(actor, "POST", address):
            response = ask(house, actor, "POST", address, enforce_csrf_checks=True)
            wrong += [] if response.status_code == 403 else [told(actor, "POST", address, response)]
            with transaction.atomic():
                response = ask(house, actor, "POST", address)
                transaction.set_rollback(True)
            wrong += [told(actor, "POST", address, response)] if is_refused("POST", response) else []
    assert wrong == []


def changelist(model):
    return reverse(f"admin:{model.replace('.', '_')}_changelist")


@pytest.mark.parametrize("actor", ROLES)
def test_actions_on_a_selection_are_those_of_the_table(house, actor):
    request = RequestFactory().get("/admin/")
    request.user = house.staff[actor]
    for model, page in admin.site._registry.items():
        who, _may, actions = ADMINISTERED[model._meta.label_lower]
        assert page.has_view_permission(request) is (actor in who), model
        if actor in who:
            assert tuple(sorted(page.get_actions(request))) == actions, model


@pytest.mark.parametrize("actor", [actor for actor in ACTORS if actor != "agency"])
def test_actions_on_a_selection_are_refused_to_the_others(house, actor):
    before = fingerprint()
    for model, page in ADMINISTERED.items():
        for action in ("delete_selected", *page[2]):
            data = {"action": action, "_selected_action": house.places[model].pk, "post": "yes"}
            house.client(actor).post(changelist(model), data)
    assert fingerprint() == before


def test_nobody_deletes_an_exam_that_is_prepared(house):
    for name in ("exams.exam", "exams.sitting", "centres.centre", "centres.candidate"):
        row = house.places[name]
        address = reverse(f"admin:{name.replace('.', '_')}_delete", args=[row.pk])
        assert house.client("agency").post(address, {"post": "yes"}).status_code == 200
        assert type(row).objects.filter(pk=row.pk).exists()


def test_typing_a_name_offers_only_what_the_person_may_read(house):
    query = {"app_label": "centres", "model_name": "centremembership", "field_name": "user"}
    assert house.client("council").get(reverse("admin:autocomplete"), query).status_code == 403
    assert house.client("agency").get(reverse("admin:autocomplete"), query).status_code == 200


@pytest.mark.parametrize("model", AppendOnly.__subclasses__(), ids=lambda model: model.__name__)
def test_what_only_grows_is_rewritten_by_nobody(house, model):
    """PostgreSQL itself refuses, whoever asks; the journal is partitioned, and its triggers are those of each part."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgtype FROM pg_trigger WHERE tgrelid = %s::regclass", [model._meta.db_table])
        assert any(kind & ROW_BEFORE_UPDATE_OR_DELETE == ROW_BEFORE_UPDATE_OR_DELETE for (kind,) in cursor.fetchall())
    if model.objects.exists():
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
            model.objects.all()._raw_delete("default")


@pytest.mark.parametrize("actor", ["invigilator", "jury", "president", "ops"])
def test_flags_of_django_open_no_page_of_ours(house, addresses, actor):
    """They are in no form; set by hand in the database, they open none of the pages that a role opens."""
    person = type(house.staff[actor]).objects.filter(pk=house.staff[actor].pk)
    person.update(is_superuser=True, is_staff=True)
    closed = {name for name, (who, *_) in ADMINISTERED.items() if who and actor not in who}
    pages = [address for address in addresses if model_of(address) in closed and not address.name.endswith("_object")]
    before = fingerprint()
    wrong = [
        told(actor, method, address, response)
        for address in pages
        for method in ("GET", "POST")
        if (response := ask(house, actor, method, address)).status_code != 403
    ]
    assert len(pages) > 60
    assert wrong == []
    assert fingerprint() == before


def model_of(address):
    """Return the model that an address of the administration is about."""
    label = re.match(r"admin:([a-z]+)_([a-z]+)_", address.name.replace("auth_user_password", "accounts_user"))
    return f"{label[1]}.{label[2]}" if label else None
