"""Every address of the house, a small house to knock at, and everybody who may come to the door."""

import re
from dataclasses import dataclass, field, replace

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from centres.models import Candidate, CentreMembership, Hosting, Incident
from centres.protocol import VERBS
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed, User
from ecni.accounts.rules import may_enter_administration
from exams.actions.refusing import Refusal, keep_refusals
from exams.actions.sealing import seal_paper
from exams.models import Case, FrozenSheet, Media, Paper, PaperQuestion, Pause, Question, Sitting, TimeGrant
from exams.rules.content import MediaRef, from_json, to_json
from exams.tickets import COOKIE as TICKET_COOKIE
from exams.tickets import Ticket, mint_ticket
from grading.actions.minutes import sign_minutes
from ranking.enums import ComplaintState
from ranking.models import Complaint, ComplaintStep, RankingPolicy, RankingRun, RankingWithdrawal, SpecialtyGroup
from ranking.rules import Policy, policy_to_json
from ranking.templatetags.results import IMAGE_SALT
from ranking.views.results import COOKIE as RESULTS_COOKIE
from ranking.views.results import COOKIE_SALT as RESULTS_SALT
from tests.exams.sitting import Chain
from tests.factories.centres import NOW, make_candidates, make_centre, make_hosting
from tests.factories.grading import BLANK, PERFECT, publish, ranked_exam
from tests.factories.jury import neutralise, propose, sitting_jury
from tests.factories.papers import draft_paper

ROLES = {
    "invigilator": Role.INVIGILATOR,
    "head": Role.CENTRE_HEAD,
    "other head": Role.CENTRE_HEAD,
    "jury": Role.JURY,
    "president": Role.PRESIDENT,
    "council": Role.COUNCIL,
    "ops": Role.OPS,
    "agency": Role.AGENCY,
}
"""Staff who knock. The objects are of centre A, where `invigilator` and `head` work; `other head` has centre B."""

ACTORS = ("anonymous", "candidate", "visitor", *ROLES)
"""`candidate` holds a ticket of centre A, `visitor` reads the published results of an exam that is over."""

PUBLISHED_IMAGE = "media/publie.svg"

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass
class House:
    """A sealed paper, candidates in the lobby of two centres, and beside it an exam marked, ranked and published."""

    staff: dict[str, User] = field(default_factory=dict)
    places: dict[str, object] = field(default_factory=dict)
    hosting: Hosting | None = None
    paper: Paper | None = None
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    deliberation: dict[str, int] = field(default_factory=dict)

    def client(self, actor, **options):
        """Return a browser in which this actor has come in."""
        client = Client(**options)
        for name, value in self.cookies.get(actor, {}).items():
            client.cookies[name] = value
        return client


def build_house(bank=None, *, with_results=True):
    """Build the house; `settings.PAPERS_ROOT` is the caller's."""
    house = House()
    house.staff = {name: _staff(name.replace(" ", "-"), role) for name, role in ROLES.items()}
    agency = house.staff["agency"]
    paper = draft_paper(agency, bank)
    house.paper = seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
    ours, theirs = make_centre("rennes", 10), make_centre("lille", 10)
    for name, centre in (("invigilator", ours), ("head", ours), ("other head", theirs)):
        CentreMembership.objects.create(user=house.staff[name], centre=centre)
    make_candidates(paper.sitting.exam, theirs, 2)
    house.hosting = make_hosting(count=3, centre=ours, sitting=paper.sitting, agency=agency, state="LOBBY")
    house.places = _places(house)
    house.cookies = {name: _session(user) for name, user in house.staff.items()}
    sheet = house.hosting.centre_sitting.sheets.order_by("pk").first()
    ticket = Ticket(sheet.pk, sheet.epoch, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)
    house.cookies["candidate"] = {TICKET_COOKIE: mint_ticket(ticket)}
    if with_results:
        _add_results(house)
    return house


def _staff(username, role):
    return User.objects.create_user(username, role=role, is_staff=may_enter_administration(role))


def _session(user):
    client = Client()
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def _places(house):
    hosting, agency = house.hosting, house.staff["agency"]
    spare = Paper.objects.create(sitting=hosting.sitting, title="Brouillon", is_reserve=True)
    common = {"sitting": hosting.sitting, "centre_sitting": hosting.centre_sitting}
    grant = TimeGrant.objects.create(**common, seconds=60, reason="alarme", granted_by=agency, granted_at=NOW)
    otp = {"user": agency, "name": "clé"}
    rows = [
        agency,
        Deed.objects.first(),
        Question.objects.order_by("pk").first(),
        Case.objects.order_by("pk").first(),
        Media.objects.get(),
        hosting.sitting.exam,
        hosting.sitting,
        spare,
        hosting.centre_sitting,
        hosting.centre_sitting.sheets.order_by("pk").first(),
        grant,
        Pause.objects.create(centre_sitting=hosting.centre_sitting, started_at=NOW, ended_at=NOW, reason="alarme"),
        hosting.centre,
        hosting,
        _refused(hosting.centre_sitting.sheets.order_by("pk").first()),
        Incident.objects.create(hosting=hosting, text="chute", reported_by=agency, at=NOW),
        Candidate.objects.filter(centre=hosting.centre).first(),
        AccessAttempt.objects.create(attempt_time=NOW, failures_since_start=1),
        AccessLog.objects.create(attempt_time=NOW),
        AccessFailureLog.objects.create(attempt_time=NOW),
        StaticDevice.objects.create(**otp),
        TOTPDevice.objects.create(**otp),
    ]
    return {row._meta.label_lower: row for row in rows}


def _refused(sheet):
    kept = Refusal(sheet.pk, 1, 0, Chain(sheet).op(), "replaced")
    keep_refusals(refusals=[kept], now=NOW)
    return sheet.refused_ops.get()


def _add_results(house):
    agency, jury = house.staff["agency"], house.staff["jury"]
    run = ranked_exam(agency, {"K2-0001": PERFECT, "K2-0002": BLANK}, slug="publie")
    publication = publish(run, jury, agency)
    laureate = Candidate.objects.get(exam=run.exam, number="K2-0001")
    complaint = Complaint.objects.create(candidate=laureate, text="Question ambiguë", filed_at=NOW)
    step = ComplaintStep.objects.create(complaint=complaint, state=ComplaintState.TAKEN, actor=agency, at=NOW)
    policy = RankingPolicy.objects.create(
        exam=run.exam, data=policy_to_json(Policy()), reason="essai", created_by=agency, created_at=NOW
    )
    group = SpecialtyGroup.objects.create(exam=run.exam, number=1, name="Chirurgie")
    rows = (
        run,
        publication,
        run.marking_runs.first(),
        complaint,
        step,
        policy,
        group,
        run.signature,
        _withdrawal(house),
    )
    for row in (*rows, run.lifts.first()):
        house.places[row._meta.label_lower] = row
    _add_deliberation(house, run.exam)
    house.places["grading.markingchunk"] = house.places["grading.markingrun"].chunks.first()
    house.places["exams.frozensheet"] = FrozenSheet.objects.first()
    Media.objects.create(name=PUBLISHED_IMAGE, content_type="image/svg+xml", size=6, content=b"<svg/>")
    question = PaperQuestion.objects.get(paper=run.marking_runs.order_by("pk").first().paper, number=1).question
    content = replace(from_json(question.content), media=(MediaRef(PUBLISHED_IMAGE, "Schéma"),))
    Question.objects.filter(pk=question.pk).update(content=to_json(content))
    signed = signing.get_cookie_signer(salt=RESULTS_COOKIE + RESULTS_SALT).sign(f"{laureate.exam_id}.{laureate.pk}")
    house.cookies["visitor"] = {RESULTS_COOKIE: signed}


def _withdrawal(house):
    """A ranking of the other exam that the president took back."""
    president, exam = house.staff["president"], house.hosting.sitting.exam
    facts = {"tie_keys": [], "unranked": [], "denominator": 1, "created_by": president, "created_at": NOW}
    run = RankingRun.objects.create(exam=exam, **facts)
    return RankingWithdrawal.objects.create(run=run, reason="essai", withdrawn_by=president, withdrawn_at=NOW)


def _add_deliberation(house, exam):
    """Propose, and hold a session to its signed minutes; the proposal stays open."""
    president = house.staff["president"]
    (paper,) = exam.sittings.get(number=1).papers.all()
    proposal = propose(neutralise(paper, 1), house.staff["jury"])
    session = sitting_jury(exam, president, [], quorum=1)
    sign_minutes(session_id=session.pk, actor=president, now=NOW)
    house.deliberation = {"paper_id": paper.pk, "proposal_id": proposal.pk, "session_id": session.pk, "number": 1}


@dataclass(frozen=True)
class Address:
    """One address: the name the access table knows it by, its route, and a path that leads to a row of centre A."""

    name: str
    route: str
    path: str = ""


def all_routes(patterns=None, prefix="", namespace=""):
    """Walk the resolver: every leaf as an address without a path, the acts of a room one by one."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inside = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from all_routes(pattern.url_patterns, route, namespace + inside)
        elif pattern.name == "room-act":
            for verb in sorted(VERBS):
                yield Address(f"{namespace}room-act {verb}", route.replace("<slug:act>", verb))
        else:
            yield Address(namespace + (pattern.name or _unnamed(route)), route)


def _unnamed(route):
    model = re.fullmatch(r"admin/(\w+)/(\w+)/<path:object_id>/", route)
    return f"{model[1]}_{model[2]}_object" if model else "elsewhere"


def all_addresses(house):
    """Return every address, with a path that exists in this house."""
    return [Address(one.name, one.route, "/" + _path(house, one)) for one in all_routes()]


def _path(house, address):
    values = _values(house, address)
    route = address.route.replace("^", "").removesuffix("$").replace(r"\.", ".")
    return _VARIABLE.sub(lambda variable: str(values[variable[1] or variable[2]]), route)


def _values(house, address):
    key, hosting = _row_key(house, address), house.hosting
    run, publication, complaint = (
        house.places.get(f"ranking.{name}") for name in ("rankingrun", "publication", "complaint")
    )
    is_marked = run is not None and address.name.startswith(("ranking:", "grading:"))
    is_analysis = is_marked and address.name.startswith(("grading:analysis", "grading:item"))
    analysed = run.marking_runs.order_by("pk").first() if is_analysis else None
    return (
        dict.fromkeys({"object_id", "id", "pk", "question_id", "case_id", "media_id", "paper_id"}, key or 0)
        | {
            "hosting_id": hosting.pk,
            "seat_id": hosting.seats.order_by("pk").first().pk,
            "sitting_id": hosting.sitting_id,
            "exam_id": run.exam_id if is_marked else key or hosting.sitting.exam_id,
            "run_id": run.pk if is_marked else 0,
            "complaint_id": complaint.pk if complaint else 0,
            "form": "csv",
            "publication_id": publication.pk if is_marked else 0,
            "proposal_id": 0,
            "session_id": 0,
            "number": 0,
            "place": 1,
            "digest": house.paper.digest,
            "app_label": "exams",
            "url": "nulle-part",
            "content_type_id": ContentType.objects.get_for_model(Sitting).pk,
            "token": signing.Signer(salt=IMAGE_SALT).sign_object(PUBLISHED_IMAGE),
        }
        | (house.deliberation if is_marked else {})
        | ({"sitting_id": analysed.paper.sitting_id, "run_id": analysed.pk, "number": 1} if analysed else {})
    )


def _row_key(house, address):
    """Return the key of the row of the model that a page of the administration is about, if it is about one."""
    name = address.name.replace("auth_user_password", "accounts_user")
    rows = {f"admin:{label.replace('.', '_')}": row.pk for label, row in house.places.items()}
    rows["admin:view_on"] = house.hosting.sitting_id
    return rows.get(name.rpartition("_")[0])


def fingerprint():
    """Return one digest by table of the database, sessions left out."""
    tables = [name for name in connection.introspection.table_names() if name != "django_session"]
    text = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{name}\" t"
        for name in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(text)
        return dict(cursor.fetchall())
