"""What the staff does in one centre on the day, whoever asks: a form or a console's socket."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import assert_never

from django.core.cache import cache
from django.db import transaction
from redis import RedisError

from centres import protocol
from centres.actions.slips import reissue_slip
from centres.models import Hosting, Incident, Seat, Slip
from centres.queries.boards import CALL_MUTED_SECONDS, handled_call_key, room_obstacles
from centres.rules.access import may
from centres.rules.codes import grouped
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.centre_sitting import (
    close_centre_sitting,
    grant_time,
    open_centre_sitting,
    pause_centre_sitting,
    resume_centre_sitting,
    welcome,
)
from exams.actions.sheet import admit_sheets, mark_absent
from exams.enums import SheetState
from exams.rules.states import Already, NotFinished, Refused, WrongState

_VERBS: dict[type, str] = {
    protocol.Welcome: "welcome",
    protocol.Open: "open",
    protocol.Admit: "admit",
    protocol.DeclareAbsent: "absent",
    protocol.PauseRoom: "pause",
    protocol.ResumeRoom: "resume",
    protocol.GrantTime: "grant-time",
    protocol.Release: "release",
    protocol.HandleCall: "handle-call",
    protocol.Report: "report",
    protocol.Close: "close",
}


class NotAllowed(Refused):
    """The role does not do this."""

    code = "not-allowed"
    text = "Votre rôle ne permet pas cet acte : adressez-vous au responsable de centre."


class UnknownSeat(Refused):
    """The seat is not of this centre, or not of this sitting."""

    code = "unknown-seat"
    text = "Cette place n’est pas dans ce centre."


def carry_out(*, command: protocol.Command, hosting: Hosting, actor: User, now: datetime) -> str:
    """Do what a console asks and return what was done, in French. The actor may see the hosting already.

    Raises:
        NotAllowed: the actor's role does not do this.
        UnknownSeat: a seat is not of this hosting.
        exams.rules.states.Refused: a rule refuses.
    """
    if not may(actor.role, _VERBS[type(command)]):
        raise NotAllowed
    match command:
        case protocol.Admit(seats) | protocol.DeclareAbsent(seats, _):
            return _call_the_roll(command, _sheets(hosting, seats), hosting, actor, now)
        case protocol.GrantTime():
            return _grant(command, hosting, actor, now)
        case protocol.Release(seat, reason):
            _sheets(hosting, (seat,))
            code = reissue_slip(seat_id=seat, reason=reason, actor=actor, now=now)
            return f"L’ancienne tablette ne peut plus écrire. Nouveau code : {grouped(code)}"
        case protocol.HandleCall(seat):
            return _handle_call(_sheets(hosting, (seat,))[0], actor, now)
        case protocol.Report():
            return _report(command, hosting, actor, now)
        case _:
            return _change_room(command, hosting, actor, now)


@transaction.atomic
def close_room(*, hosting: Hosting, reason: str, actor: User, now: datetime) -> int:
    """Close the centre sitting; return how many sheets were frozen.

    Raises:
        NotFinished: a box of the checklist is open and no reason is given; the text names each.
    """
    obstacles = room_obstacles(hosting, now)
    if obstacles and not reason:
        raise NotFinished(" ".join(obstacles))
    return close_centre_sitting(centre_sitting_id=hosting.centre_sitting_id, actor=actor, now=now, reason=reason)


def reveal_candidate(*, hosting: Hosting, seat_id: int, actor: User, now: datetime) -> Seat:
    """Return a seat with its candidate, and log that this person looked.

    Raises:
        NotAllowed, UnknownSeat: as `carry_out`.
    """
    if not may(actor.role, "reveal"):
        raise NotAllowed
    seat = Seat.objects.select_related("candidate", "room", "sheet").filter(hosting=hosting, pk=seat_id).first()
    if seat is None:
        raise UnknownSeat
    log_deed(actor=actor, verb="reveal_candidate", target=f"seat:{seat.pk}", now=now)
    return seat


def _change_room(
    command: protocol.Welcome | protocol.Open | protocol.PauseRoom | protocol.ResumeRoom | protocol.Close,
    hosting: Hosting,
    actor: User,
    now: datetime,
) -> str:
    centre_sitting_id = hosting.centre_sitting_id
    match command:
        case protocol.Welcome():
            welcome(centre_sitting_id=centre_sitting_id, actor=actor, now=now)
            return "L’accueil est ouvert."
        case protocol.Open():
            open_centre_sitting(centre_sitting_id=centre_sitting_id, actor=actor, now=now)
            return "L’épreuve est ouverte."
        case protocol.PauseRoom(reason):
            pause_centre_sitting(centre_sitting_id=centre_sitting_id, reason=reason, actor=actor, now=now)
            return "L’épreuve est en pause : le temps ne compte plus."
        case protocol.ResumeRoom():
            resume_centre_sitting(centre_sitting_id=centre_sitting_id, actor=actor, now=now)
            return "L’épreuve reprend : le temps de la pause est rendu."
        case protocol.Close(reason):
            frozen = close_room(hosting=hosting, reason=reason, actor=actor, now=now)
            return f"L’épreuve est close : {frozen} copie(s) figée(s)."
        case _:
            assert_never(command)


def _call_the_roll(
    command: protocol.Admit | protocol.DeclareAbsent,
    sheets: Sequence[int],
    hosting: Hosting,
    actor: User,
    now: datetime,
) -> str:
    """Do the same to several sheets; one refusal does not stop the others."""
    if isinstance(command, protocol.Admit):
        targets, word = sheets or _expected_sheets(hosting), "admis"
        refusals = admit_sheets(centre_sitting_id=hosting.centre_sitting_id, sheet_ids=targets, actor=actor, now=now)
    else:
        targets, word, reason = sheets, "noté(s) absent(s)", command.reason or "place vide"
        entered = _entered(sheets)

        def declare(sheet: int) -> None:
            if sheet in entered:
                raise WrongState("Un coupon de cette place a servi : une tablette tient cette copie.")
            mark_absent(sheet_id=sheet, actor=actor, now=now, reason=reason)

        refusals = _refusals(sheets, declare)
    return _told(len(targets) - len(refusals), word, list(refusals.values()))


def _entered(sheets: Sequence[int]) -> set[int]:
    """Return those of these sheets, admitted, that a tablet has taken by a slip: it may compose without network."""
    used = Slip.objects.filter(seat__sheet_id__in=sheets, used_at__isnull=False)
    return set(used.exclude(seat__sheet__state=SheetState.EXPECTED).values_list("seat__sheet_id", flat=True))


def _refusals(sheets: Sequence[int], act: Callable[[int], None]) -> dict[int, Refused]:
    found: dict[int, Refused] = {}
    for sheet in sheets:
        try:
            act(sheet)
        except Refused as refusal:
            found[sheet] = refusal
    return found


def _told(done: int, word: str, refusals: Sequence[Refused]) -> str:
    """Say what was done; when nothing was, the refusal is raised, the gravest first."""
    already = sum(isinstance(refusal, Already) for refusal in refusals)
    others = [refusal for refusal in refusals if not isinstance(refusal, Already)]
    if refusals and not done:
        raise (others or refusals)[0]
    words = [f"{done} {word}", f"{already} déjà" if already else "", f"{len(others)} refusé(s)" if others else ""]
    return ", ".join(filter(None, words)) + "."


def _grant(command: protocol.GrantTime, hosting: Hosting, actor: User, now: datetime) -> str:
    sheets = _sheets(hosting, command.seats)
    grant_time(
        centre_sitting_id=hosting.centre_sitting_id,
        sheet_ids=sheets or None,
        seconds=command.minutes * 60,
        reason=command.reason,
        actor=actor,
        now=now,
    )
    whom = f"{len(sheets)} candidat(s)" if sheets else "tout le centre"
    return f"{command.minutes} min de plus pour {whom}."


def _handle_call(sheet: int, actor: User, now: datetime) -> str:
    with suppress(RedisError):
        cache.set(handled_call_key(sheet), 1, CALL_MUTED_SECONDS)
    log_deed(actor=actor, verb="handle_call", target=f"sheet:{sheet}", now=now)
    return "Appel pris en charge : il reviendra dans 2 minutes si la main est toujours levée."


def _report(command: protocol.Report, hosting: Hosting, actor: User, now: datetime) -> str:
    if command.seat is not None:
        _sheets(hosting, (command.seat,))
    Incident.objects.create(hosting=hosting, seat_id=command.seat, text=command.text, reported_by=actor, at=now)
    return "Incident consigné."


def _sheets(hosting: Hosting, seats: tuple[int, ...]) -> list[int]:
    found = dict(Seat.objects.filter(hosting=hosting, pk__in=seats).values_list("pk", "sheet_id")) if seats else {}
    if set(seats) - found.keys():
        raise UnknownSeat
    return [found[seat] for seat in dict.fromkeys(seats)]


def _expected_sheets(hosting: Hosting) -> list[int]:
    seats = Seat.objects.filter(hosting=hosting, sheet__state=SheetState.EXPECTED)
    return list(seats.order_by("room__name", "seat_number").values_list("sheet_id", flat=True))
