"""The judge of a history. It imports nothing of ours: it hears what was invoked, said on the wire, shown, committed and
granted, keeps its own record, and computes chains, ends and folds its own way.

Invariants are those of the reliability reference: I1 nothing acknowledged is lost, I2 once and in order, I3 what is not
acknowledged is kept, sent again and shown as such, I4 nothing after the end and its grace, all before, I5 no key before
its seal, I6 nothing of another sheet, no other key, I7 exactly the granted time, I8 one live tablet, I9 a refused act
leaves a trace apart only, I10 chain and receipt, I15 nothing false on the screen; L everything pending is settled once
faults stop.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import sha256

FINAL_KEPT = frozenset(
    {
        "quarantined",
        "late",
        "submitted",
        "unknown-question",
        "bad-value",
        "locked",
        "sealed",
        "not-progressive",
        "not-open",
    }
)
RETRIED = frozenset({"too-fast", "paused", "busy", "gap", "contradiction", "digest", "malformed"})
STEPS = {"4": 3, "5": 4}
OPENED = frozenset({"COMPOSING", "PAUSED", "SUBMITTED"})
KINDS = {1: "answer", 2: "seal", 3: "flag", 4: "strike", 5: "submit"}
TOLERANCE_MS = 1_300
UNKNOWING_MS = 8_000
READING_MS = 2_000
STORING_MS = 1_000
LEARNING_MS = 1_500
WHOLE_AGAIN_MS = {"wipe": 1_000, "ok": 17_000}
OUTAGE_S = (5, 1_800)


class Violation(Exception):
    """An invariant is broken."""

    def __init__(self, invariant, text):
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(slots=True)
class Row:
    """One row of the journal."""

    seq: int
    epoch: int
    key: str  # kind|question|value|tablet's time: what the candidate did, whatever its number
    digest: str
    received: int


@dataclass(slots=True)
class Device:
    """What is known of one tablet from outside."""

    sheet: int
    epoch: int
    lives: int = 0
    died_at: int = 0
    acts: list = field(default_factory=list)  # keys of acts, in the order in which they were made
    made: dict = field(default_factory=dict)  # key: (true time, life)
    sent: dict = field(default_factory=lambda: defaultdict(dict))  # seq: {digest: key} of frames that left
    last_sent: dict = field(default_factory=dict)  # seq: (digest, key) of the last one
    acked: dict = field(default_factory=dict)  # seq: digest
    told: set = field(default_factory=set)  # keys of acts of which a refusal was said
    on_disk: set = field(default_factory=set)
    screen: dict | None = None
    wrong_since: int | None = None  # since when its screen shows another end than the granted one
    gone: set = field(default_factory=set)  # keys of acts that a page took with it while its storage failed
    is_failing: bool = False  # its storage takes nothing now
    is_hanging: bool = False  # its storage does not even answer
    whole_at: int = 0  # when its storage holds again everything that waits, at the latest
    is_stale: bool = False  # a page died before its storage held everything again, or started before it answered
    is_corrupt: bool = False  # a digest of its storage was changed
    is_doubtful: bool = False  # and no server has told this page the right one yet
    is_spoilt: bool = False  # a row of its storage was made unreadable
    is_steady: bool = True  # its clock was never moved
    is_slow: bool = False  # its frames were too slow to tell its clock: some lateness is not seen
    waited: int = 0  # the longest wait for a key that it has told of


class Judge:
    """Hears everything in the order in which it happens; `check` raises `Violation` as soon as one is certain."""

    def __init__(self, numbers, duration, grace, extra, *, sitting, keys, gives_back):
        self.duration, self.grace, self.extra = duration * 1000, grace * 1000, extra
        self.keys, self.gives_back = keys, gives_back
        self.asked = defaultdict(set)
        self.rows = defaultdict(list)
        self.heads = {
            pk: sha256(f"ecni-sheet/1|{sitting}|{number}".encode()).hexdigest() for pk, number in numbers.items()
        }
        self.devices = {}
        self.opened = None
        self.closed = None
        self.paused_since = None
        self.pauses = []
        self.granted = Counter()
        self.credited = {}
        self.epochs = dict.fromkeys(numbers, 1)
        self.released = {}
        self.moved_at = 0  # last deed of the staff, last fault: what screens may not know yet
        self.kept = {}
        self.frozen = {}

    # What happens

    def tablet(self, name, sheet, epoch):
        """Another tablet is given a sheet."""
        self.devices[name] = Device(sheet, epoch)

    def wanted(self, sheet, act):
        """The candidate of a sheet means to do this: kind|question|value."""
        self.asked[sheet].add(act)

    def invoked(self, name, key, now):
        """The candidate did something on this tablet."""
        device = self.devices[name]
        self._require(
            key.rpartition("|")[0] in self.asked[device.sheet], "I6", f"{name} records {key}, which nobody meant"
        )
        if key not in device.made:
            device.acts.append(key)
            device.made[key] = (now, device.lives)

    def stored(self, name, key):
        """The tablet's storage has promised to keep an act."""
        self.devices[name].on_disk.add(key)

    def booted(self, name, keys):
        """A page starts, and finds these acts on its tablet."""
        device = self.devices[name]
        device.lives += 1
        is_whole = not device.is_failing and device.died_at >= device.whole_at
        device.is_stale |= device.is_hanging or (device.lives > 1 and not is_whole)
        device.is_doubtful = device.is_corrupt
        device.screen = None
        safe = {key for key, (made, _) in device.made.items() if is_whole and made < device.died_at - STORING_MS}
        missing = device.made.keys() - set(keys)
        for key in missing & (device.on_disk | safe) - device.gone if not device.is_spoilt else ():
            self._require(
                self._is_settled(device, key), "I3", f"{name} no longer holds {key}, of which nothing is known"
            )
        device.gone |= missing
        device.on_disk = set(keys)

    def died(self, name, now):
        """A page is lost; what it was storing at that instant may be, too."""
        self.devices[name].died_at = now

    def damaged(self, name, mode, now):
        """Somebody touched a tablet's storage: `full`, `hang`, then `ok` again; `wipe`, `corrupt`, `spoil`."""
        device = self.devices[name]
        device.is_failing = mode in {"full", "hang"} or (device.is_failing and mode != "ok")
        device.is_hanging = mode == "hang" or (device.is_hanging and mode not in {"ok", "full"})
        device.is_spoilt |= mode == "spoil"
        device.is_corrupt |= mode in {"corrupt", "spoil"}
        device.whole_at = max(device.whole_at, now + WHOLE_AGAIN_MS.get(mode, 0))
        if mode == "wipe":
            device.on_disk = set()

    def sleeps(self, name):
        """Nobody sees this tablet's screen any more; it is drawn again when it wakes."""
        self.devices[name].wrong_since = None

    def stepped(self, name):
        """Somebody moved a tablet's clock."""
        self.devices[name].is_steady = False

    def slowed(self, name):
        """The frames of a tablet take their time."""
        self.devices[name].is_slow = True

    def disturbed(self, now):
        """Something was broken or mended."""
        self.moved_at = now

    def left(self, name, text):
        """A frame left a tablet."""
        frame = json.loads(text)
        device = self.devices[name]
        if frame["t"] == "hello":
            device.waited = max(device.waited, frame.get("waiting", 0))
        if frame["t"] == "op":
            key = f"{frame['kind']}|{frame['q']}|{frame['value']}|{frame['at']}"
            self._require(key in device.made, "I6", f"{name} sends {key}, which nobody did on it")
            device.sent[frame["seq"]][frame["digest"]] = key
            device.last_sent[frame["seq"]] = (frame["digest"], key)

    def said(self, name, text, now):
        """A frame leaves the server for a tablet."""
        frame = json.loads(text)
        device = self.devices[name]
        for step, key in (frame.get("keys") or {}).items():
            self._require(key == self.keys[step], "I6", f"{name} is sent another key than that of {step}")
            self._check_key(device, step)
        if frame["t"] == "state" and device.epoch < self.epochs[device.sheet]:
            is_news = now - self.released[device.sheet] < LEARNING_MS
            self._require(is_news, "I8", f"{name}, which was replaced, is given the sheet")
        if frame["t"] == "ack":
            self._check_ack(name, device, frame["seq"])
        if frame["t"] == "refused" and frame.get("code") in {"late", "quarantined"} and "seq" in frame:
            self._check_refusal(name, device, frame, now)

    def heard(self, name, text, now):
        """A frame reaches a tablet."""
        frame = json.loads(text)
        device = self.devices[name]
        if frame["t"] == "ack" and frame["seq"] in device.last_sent:
            device.acked[frame["seq"]] = device.last_sent[frame["seq"]][0]
        if frame["t"] == "refused" and frame["code"] not in RETRIED and frame.get("seq") in device.last_sent:
            self._note_refusal(name, device, frame, now)

    def committed(self, sheet, row):
        """PostgreSQL has a new row."""
        rows = self.rows[sheet]
        self._require(row.seq == len(rows) + 1, "I2", f"sheet {sheet} stores {row.seq} after {len(rows)}")
        expected = sha256(bytes.fromhex(self.heads[sheet]) + _line(row).encode()).hexdigest()
        self._require(row.digest == expected, "I10", f"sheet {sheet}: the digest of {row.seq} does not follow")
        self._require(row.epoch == self.epochs[sheet], "I8", f"sheet {sheet} stores an act of epoch {row.epoch}")
        self._require(self.closed is None, "I4", f"sheet {sheet} stores {row.seq} after the closing")
        end = self.end(sheet, row.received)
        self._require(
            row.received < end + self.grace,
            "I4",
            f"sheet {sheet} stores {row.seq} {row.received - end} ms after its end",
        )
        self._check_author(sheet, row, end)
        self.heads[sheet] = row.digest
        rows.append(row)

    def kept_apart(self, sheet, digest, code):
        """A refused act is durable, apart."""
        self.kept[sheet, digest] = code

    def deed(self, kind, now, *args):
        """The staff has done something, and it is committed."""
        self.moved_at = now
        getattr(self, f"_deed_{kind}")(now, *args)

    def shown(self, name, screen, now):
        """The screen of a tablet changes."""
        device = self.devices[name]
        self._check_clock(name, device, now)
        device.screen = screen
        device.wrong_since = now if self._is_wrong(device, now) else None
        if screen["saved"] and screen["status"]:
            self._check_saved(name, device)
        if screen["status"] in {"SUBMITTED", "CLOSED"}:
            self._check_over(name, device, screen["status"])

    # What must hold at once

    def end(self, sheet, now):
        """Return until when a sheet may compose, by the judge's own sum."""
        return (
            self.opened
            + self.duration
            + self.extra[sheet] * 1000
            + self.granted[sheet]
            + self._paused(self.opened, now)
        )

    def _paused(self, since, now):
        going = [] if self.paused_since is None else [(self.paused_since, now)]
        return sum(max(0, end - max(start, since)) for start, end in self.pauses + going)

    def _check_key(self, device, step):
        if step == "0":
            self._require(self.opened is not None, "I5", "the opening key leaves before the opening")
            return
        sealed = {row.key.split("|")[1] for row in self.rows[device.sheet] if row.key.startswith("seal|")}
        self._require(str(STEPS[step]) in sealed, "I5", f"the key of {step} leaves before {STEPS[step]} is sealed")

    def _check_ack(self, name, device, seq):
        rows = self.rows[device.sheet]
        self._require(seq <= len(rows), "I1", f"{name} is told that {seq} is stored, and it is not")
        own = device.sent.get(seq, {})
        self._require(rows[seq - 1].digest in own, "I1", f"{name} is told that {seq} is stored, and it is another act")

    def _check_refusal(self, name, device, frame, now):
        sent = device.last_sent.get(frame["seq"])
        if sent is None or self.opened is None or self.closed is not None or device.epoch != self.epochs[device.sheet]:
            return
        end = self.end(device.sheet, now)
        self._require(now >= end, "I4", f"{name} hears {frame['code']} {end - now} ms before its end")
        made = device.made[sent[1]][0]
        if now < end + self.grace and device.is_steady:
            self._require(
                made > end,
                "I4",
                f"{name} hears {frame['code']} in the grace for an act made {end - made} ms before its end",
            )

    def _note_refusal(self, name, device, frame, now):
        digest, key = device.last_sent[frame["seq"]]
        device.told.add(key)
        if digest not in {row.digest for row in self.rows[device.sheet]}:
            kept = any((device.sheet, other) in self.kept for other in device.sent[frame["seq"]])
            self._require(
                frame["code"] not in FINAL_KEPT or kept,
                "I9",
                f"{name} hears {frame['code']}, and nothing is kept ({now})",
            )

    def _check_author(self, sheet, row, end):
        makers = [one for one in self.devices.values() if one.sheet == sheet and row.key in one.made]
        self._require(makers, "I6", f"sheet {sheet} stores {row.key}, which its candidate did not do")
        made = min(device.made[row.key][0] for device in makers)
        if row.received >= end and all(device.is_steady and not device.is_slow for device in makers):
            late = made - end
            self._require(late <= TOLERANCE_MS, "I4", f"sheet {sheet} stores an act made {late} ms after its end")
        before = self._last_of(makers[0], sheet)
        if not any(device.is_spoilt or device.gone for device in makers):
            rank = makers[0].acts.index(row.key)
            self._require(rank > before, "I2", f"sheet {sheet} stores {row.key} twice or out of order")

    def _last_of(self, device, sheet):
        for row in reversed(self.rows[sheet]):
            if row.key in device.made:
                return device.acts.index(row.key)
        return -1

    def _is_settled(self, device, key):
        """Whether an act is stored, or was refused aloud, or gave way to what another tablet did."""
        if key in device.told or any(row.key == key for row in self.rows[device.sheet]):
            return True
        others = [row.key for row in self.rows[device.sheet]] + device.acts[device.acts.index(key) + 1 :]
        if device.is_stale and any(_decides(other, key) for other in others):
            return True
        return any(
            key in keys.values() and any((device.sheet, digest) in self.kept for digest in keys)
            for keys in device.sent.values()
        )

    def _check_saved(self, name, device):
        """« Enregistré »: every act of this life of the page is stored, or its refusal was shown."""
        for key, (_, life) in device.made.items():
            if life == device.lives and not device.is_spoilt:
                self._require(self._is_settled(device, key), "I15", f"{name} shows « Enregistré » while {key} is not")
        seq, digest = device.screen["seq"], device.screen["digest"]
        rows = self.rows[device.sheet]
        is_right = seq == 0 or (seq <= len(rows) and rows[seq - 1].digest == digest)
        device.is_doubtful = device.is_doubtful and not (is_right and device.screen["link"] == "online")
        if seq and not device.is_doubtful:
            self._require(
                is_right,
                "I10",
                f"{name} shows another head than that of {seq}",
            )
        code = digest[:32].upper()
        self._require(
            device.screen["receipt"].replace(" · ", "").replace(" ", "") == code, "I10", f"{name} shows a wrong receipt"
        )

    def _check_over(self, name, device, status):
        if status == "SUBMITTED":
            is_true = any(row.key.startswith("submit|") for row in self.rows[device.sheet])
        else:
            is_true = self.closed is not None
        self._require(is_true, "I15", f"{name} shows {status}, which is false")

    def _is_wrong(self, device, now):
        screen = device.screen
        if screen["end"] is None or screen["status"] != "COMPOSING" or screen["link"] != "online":
            return False
        if now - self.moved_at < UNKNOWING_MS or self.opened is None or self.paused_since is not None:
            return False
        return abs(screen["end"] - self.end(device.sheet, now)) > TOLERANCE_MS

    def _check_clock(self, name, device, now):
        """A wrong end may stay for the time that a `state` takes to be read, no longer."""
        if device.wrong_since is not None and now - max(device.wrong_since, self.moved_at) > READING_MS:
            off = device.screen["end"] - self.end(device.sheet, now)
            self._require(abs(off) <= TOLERANCE_MS, "I7", f"{name} shows an end {off} ms away from the granted one")

    # The staff

    def _deed_open(self, now):
        self.opened = now

    def _deed_pause(self, now):
        self.paused_since = now

    def _deed_resume(self, now):
        self.pauses.append((self.paused_since, now))
        self.paused_since = None

    def _deed_grant(self, _now, sheet, seconds):
        for pk in self.epochs if sheet is None else [sheet]:
            self.granted[pk] += seconds * 1000

    def _deed_credit(self, now, sheet, seconds):
        since = max(self.opened, self.credited.get(sheet, 0), *(row.received for row in self.rows[sheet]))
        waited = max(device.waited for device in self.devices.values() if device.sheet == sheet)
        start = max(now - waited, since)
        most = now - start - self._paused(start, now)
        is_right = self.gives_back and OUTAGE_S[0] <= seconds <= min(OUTAGE_S[1], most / 1000)
        self._require(is_right, "I7", f"sheet {sheet} is given back {seconds} s for a wait of {most} ms")
        self.credited[sheet] = now
        self.granted[sheet] += seconds * 1000

    def _deed_release(self, now, sheet):
        self.epochs[sheet] += 1
        self.released[sheet] = now

    def _deed_close(self, now, frozen):
        if self.paused_since is not None:
            self._deed_resume(now)
        self.closed = now
        self.frozen = frozen

    # What must hold when all is over

    def conclude(self, now, states):
        """Look at what is left when nothing is broken any more and nothing moves."""
        for name, device in self.devices.items():
            self._check_clock(name, device, now)
            self._conclude_tablet(name, device, states)
        for sheet, (seq, digest, answers) in self.frozen.items():
            self._conclude_copy(sheet, seq, digest, answers)

    def _conclude_tablet(self, name, device, states):
        rows = self.rows[device.sheet]
        for seq, digest in device.acked.items():
            kept = seq <= len(rows) and rows[seq - 1].digest in device.sent[seq]
            self._require(kept, "I1", f"act {seq} of {name}, acknowledged as {digest[:8]}, is lost")
        screen = device.screen
        self._require(screen is not None, "L", f"{name} shows nothing")
        self._require(not screen["waiting"], "L", f"{name} still waits for {screen['waiting']} acts")
        state = states[device.sheet]
        is_replaced = device.epoch < self.epochs[device.sheet]
        is_known = screen["status"] == state or state == "SUBMITTED"  # its own acknowledgement told it that
        self._require(is_replaced or is_known, "L", f"{name} shows {screen['status']}, not {state}")
        link = "ended" if is_replaced else "online"
        self._require(screen["link"] == link, "L", f"{name} is still {screen['link']}")
        for key, (_, life) in device.made.items():
            if not device.is_spoilt and (life == device.lives or key in device.on_disk):
                self._require(self._is_settled(device, key), "I3", f"{key} of {name} is neither stored nor refused")

    def _conclude_copy(self, sheet, seq, digest, answers):
        rows = self.rows[sheet]
        own = {}
        for row in rows:
            kind, question, value, _ = row.key.split("|")
            if kind == "answer":
                own[int(question)] = value
        self._require(
            (seq, digest) == (len(rows), self.heads[sheet]), "I10", f"sheet {sheet} is frozen on another head"
        )
        self._require(answers == own, "I1", f"sheet {sheet} is frozen as {answers}, its acts say {own}")

    @staticmethod
    def _require(holds, invariant, text):
        if not holds:
            raise Violation(invariant, text)


def _decides(later, key):
    """Whether an act is about what another one was about: it takes its place once a storage has told an old story."""
    return later.split("|")[1] == key.split("|")[1]


def _line(row):
    kind, question, value, made_at = row.key.split("|")
    return f"{row.seq}|{kind}|{question}|{made_at}|{value}"
