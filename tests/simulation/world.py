"""One history, from its first instant to its verdict: a clock, a network, two server processes, tablets, a staff.

A world is a generator: it yields what the tablets' side must do next, and is sent what it did.
"""

import json
from base64 import b64encode
from functools import partial
from heapq import heappop, heappush
from random import Random

from exams.consumers import frames
from exams.consumers.session import Session
from exams.enums import OfflineClock
from exams.tickets import Ticket
from tests.simulation.database import CENTRE, KEYS, SITTING, Database, Sheet, instant, milliseconds
from tests.simulation.judge import KINDS, Judge, Row, Violation
from tests.simulation.server import Ambient, Farewell, Process, run

START_MS = 1_782_307_800_000
NUMBERS = {1: "K7-4302", 2: "K7-4303"}
SHEETS = {"A": 1, "B": 2}
WATCH_MS = 1_000
CALM_MS = 90_000
LOST = 0.06
TRUSTED_MS = 1_000


class Wire:
    """One socket of a tablet: each way in order, until it dies."""

    def __init__(self, number, tablet):
        self.number, self.tablet = number, tablet
        self.session = None
        self.process = None
        self.is_open = True  # for the server
        self.reaches_tablet = True
        self.last = {"up": 0, "down": 0}


class World:
    """The state of one history."""

    def __init__(self, script, *, is_traced=False):
        self.script, self.random = script, Random(~script.seed)
        self.now = START_MS
        self.lines = [] if is_traced else None
        keys = {str(step): b64encode(key).decode() for step, key in KEYS.items()}
        self.judge = Judge(
            NUMBERS,
            script.duration,
            script.grace,
            script.extra,
            sitting=SITTING,
            keys=keys,
            gives_back=script.clock is OfflineClock.STOP,
        )
        sheets = {pk: Sheet(pk, number, script.extra[pk]) for pk, number in NUMBERS.items()}
        self.database = Database(
            script.duration,
            script.grace,
            script.clock,
            sheets,
            self._committed,
            self.judge.kept_apart,
            self._credited,
        )
        self.processes = {name: Process(self, name) for name in ("p1", "p2")}
        self.database_mode = "up"
        self.is_network_up = self.are_hints_up = True
        self.is_http = self.is_mended = False
        self.latency = 30
        self.wires = {}
        self.posts = {}  # requests under way: number, tablet
        self.asleep = {}  # pages that sleep: name, since when
        self.holders = {}  # of each letter, the name of its newest tablet
        self.tickets = {}
        self.dead = set()
        self.skews = dict(script.skews)
        self.edge_at = None
        self._queue = []
        self._count = 0
        self._timer = None  # when the tablets' side has something of its own to do

    # Time

    def moment(self):
        """Return the server's clock."""
        return instant(self.now)

    def seconds(self):
        """Return a monotonic clock."""
        return (self.now - START_MS) / 1000

    def after(self, ms, call):
        """Plan a call of this side."""
        self._plan(self.now + ms, call, None)

    def linger(self, ms, *, decides):
        """Return how long a batch gathers; one is made to decide at the very edge that the history asks for."""
        if decides and self.edge_at is not None and 0 <= self.edge_at - self.now <= 400:
            ms, self.edge_at = self.edge_at - self.now, None
            return ms
        return ms + self.random.randint(0, 9)

    def trace(self, text, *args):
        """Write one line of what happens."""
        if self.lines is not None:
            self.lines.append(f"{(self.now - START_MS) / 1000:9.3f}  {text % args}")

    def _plan(self, at, call, event):
        self._count += 1
        heappush(self._queue, (at, self._count, call, event))

    def play(self):
        """Live the history; return the violation found, or None."""
        Ambient.world = self
        try:
            yield from self._play()
        except Violation as violation:
            self.trace("!! %s", violation)
            return violation
        return None

    def _play(self):
        for letter in SHEETS:
            self._give(letter, 1)
        for at, kind, args in self.script.events:
            self._plan(START_MS + at, partial(getattr(self, f"_on_{kind}"), *args), None)
        for process in self.processes.values():
            self.after(WATCH_MS, partial(self._watch, process))
        yield from self._until(START_MS + self.script.end)
        self._heal()
        yield from self._until(self.now + CALM_MS, quiet=True)
        self.judge.conclude(self.now, {pk: sheet.state.value for pk, sheet in self.database.sheets.items()})

    def _until(self, limit, *, quiet=False):
        """Do everything that is due until then, or until nothing is left to settle."""
        while self._queue and self._queue[0][0] <= limit and not (quiet and self._is_settled()):
            at = self._queue[0][0]
            if self._timer is None or self._timer <= at or self._queue[0][3]:
                yield from self._advance(at)
            else:
                self._call(heappop(self._queue))

    def _call(self, planned):
        self.now = planned[0]
        if planned[2]:
            planned[2]()

    def _advance(self, at):
        """Let the tablets live until then; what they say on the way may be due before."""
        event = self._queue[0][3]
        reply = yield {"t": at, "e": event} if event else {"t": at}
        Ambient.world = self
        self._timer = reply["n"]
        self.now = reply["t"]
        if reply["d"]:
            planned = heappop(self._queue)
            self._hear(reply["o"])
            self._call(planned)
        else:
            self._hear(reply["o"])

    def tablets_do(self, at, event):
        """Plan an event of the tablets' side."""
        self._plan(at, None, event)

    def _is_settled(self):
        if any(event for _, _, _, event in self._queue):
            return False
        screens = [(name, self.judge.devices[name].screen) for name in self.tickets if name not in self.dead]
        return all(
            screen
            and (
                screen["read"]
                and not screen["waiting"]
                and (screen["ending"] or (screen["link"] == "online" and self._knows(name, screen)))
            )
            for name, screen in screens
        )

    def _knows(self, name, screen):
        sheet = self.database.sheets[self.tickets[name].sheet_id]
        is_told = screen["status"] == sheet.state or sheet.state == "SUBMITTED"  # an acknowledgement told that
        return is_told and sheet.epoch == self.tickets[name].epoch

    # What the tablets say

    def _hear(self, said):
        for one in said:
            getattr(self, f"_hear_{one['k']}")(one)

    def _hear_op(self, one):
        self.trace("%s: the candidate does %s", one["p"], one["o"])
        self.judge.invoked(one["p"], one["o"], self.now)

    def _hear_kept(self, one):
        self.judge.stored(one["p"], one["o"])

    def _hear_boot(self, one):
        self.trace("%s: a page starts, %d acts on the tablet", one["p"], len(one["x"]))
        self.judge.booted(one["p"], one["x"])

    def _hear_screen(self, one):
        self.trace("%s: shows %s", one["p"], _said_of(one["x"]))
        self.judge.shown(one["p"], one["x"], self.now)

    def _hear_open(self, one):
        wire = self.wires[one["n"]] = Wire(one["n"], one["p"])
        alive = [process for process in self.processes.values() if process.is_alive]
        if not self.is_network_up or self.is_http or not alive:
            self.trace("%s: no socket to the server", wire.tablet)
            self.tablets_do(self.now + self.random.randint(5, 2_000), {"k": "closed", "n": wire.number, "code": 1006})
            return
        wire.process = self.random.choice(alive)
        self.trace("%s: socket %d to %s", wire.tablet, wire.number, wire.process.name)
        self._carry(wire, "down", {"k": "opened", "n": wire.number})
        wire.session = Session(self.tickets[wire.tablet], wire.process.hub, partial(self._sent, wire))
        run(wire.process.hub.enter(wire.session))

    def _hear_send(self, one):
        wire = self.wires[one["n"]]
        self.trace("%s -> %s", wire.tablet, one["x"])
        self.judge.left(wire.tablet, one["x"])
        self._carry_up(wire, one["x"])

    def _hear_close(self, one):
        wire = self.wires[one["n"]]
        wire.reaches_tablet = False
        if wire.is_open:
            self.after(self._delay(), partial(self._hang_up, wire))

    def _hear_post(self, one):
        """One `POST /copie/trames/`, as `CandidateFrames` serves it; a relay may lose it, or send it twice."""
        name, number = one["p"], one["n"]
        self.trace("%s -> by HTTP %s", name, one["x"])
        texts = frames.read_frames(one["x"].encode())
        for text in texts:
            self.judge.left(name, text)
        self.posts[number] = name
        alive = [process for process in self.processes.values() if process.is_alive]
        if not self.is_network_up or not alive:
            self._fail(number, self.random.randint(5, 500))
            return
        process = self.random.choice(alive)
        lot = self.random.random()
        if lot < LOST:
            self._fail(number, self.random.randint(50, 3_000))
        if lot >= LOST / 2:
            self.after(self._delay(), partial(self._request, process, name, number, texts))
        if LOST / 2 <= lot < LOST * 2:
            self.after(self._delay() + self.random.randint(0, 1_500), partial(self._request, process, name, 0, texts))

    def _request(self, process, name, number, texts):
        if not process.is_alive:
            self._fail(number, self._delay())
            return
        mailbox = frames.Mailbox()
        session = Session(self.tickets[name], process.hub, mailbox, by_http=True)
        process.exchange(session, mailbox, texts, partial(self._answer, name, number))

    def _answer(self, name, number, said):
        for frame in said:
            self.judge.said(name, json.dumps(frame), self.now)
        if self.is_network_up and self.posts.pop(number, None):
            self.tablets_do(self.now + self._delay(), {"k": "answer", "n": number, "status": 200, "frames": said})

    def _fail(self, number, ms):
        if self.posts.pop(number, None):
            self.tablets_do(self.now + ms, {"k": "answer", "n": number, "status": 0, "frames": []})

    def _hear_got(self, one):
        for frame in one["x"]:
            self.trace("%s <- by HTTP %s", one["p"], json.dumps(frame))
            self.judge.heard(one["p"], json.dumps(frame), self.now)

    # The network

    def _delay(self):
        return self.random.randint(1, self.latency)

    def _carry(self, wire, way, event):
        at = wire.last[way] = max(wire.last[way] + 1, self.now + self._delay())
        self.tablets_do(at, event) if event else None
        return at

    def _carry_up(self, wire, text):
        at = self._carry(wire, "up", None)
        self._plan(at, partial(self._receive, wire, text), None)

    def _receive(self, wire, text):
        if not wire.is_open or wire.session is None or not wire.process.is_alive:
            return
        try:
            run(wire.session.receive(text))
        except Farewell as farewell:
            run(wire.session.say_bye(farewell.code, farewell.close_code))

    async def _sent(self, wire, event):
        if event["type"] == "websocket.close":
            self._say_closed(wire, event["code"])
        else:
            self._say(wire, event["text"])

    def _say(self, wire, text):
        self.judge.said(wire.tablet, text, self.now)
        if not (wire.is_open and wire.reaches_tablet):
            self.trace("%s <- (nobody hears) %s", wire.tablet, text)
            return
        at = wire.last["down"] = max(wire.last["down"] + 1, self.now + self._delay())
        self._plan(at, partial(self._deliver, wire, text), None)

    def _deliver(self, wire, text):
        if wire.reaches_tablet:
            self.trace("%s <- %s", wire.tablet, text)
            self.judge.heard(wire.tablet, text, self.now)
            self.tablets_do(self.now, {"k": "frame", "n": wire.number, "x": text})

    def _say_closed(self, wire, code):
        if wire.reaches_tablet and wire.is_open:
            at = wire.last["down"] = max(wire.last["down"] + 1, self.now + self._delay())
            self.tablets_do(at, {"k": "closed", "n": wire.number, "code": code})
        self._hang_up(wire)

    def _hang_up(self, wire):
        """The server's side of a socket ends."""
        if wire.is_open:
            wire.is_open = False
            if wire.session and wire.process.is_alive:
                wire.process.hub.leave(wire.session)

    def _break(self, wire):
        """A socket dies for both, with what was under way."""
        if wire.reaches_tablet:
            wire.reaches_tablet = False
            self.tablets_do(self.now + self._delay(), {"k": "closed", "n": wire.number, "code": 1006})
        self._hang_up(wire)

    # What the script asks

    def process_of(self, hub):
        """Return the process that has this hub."""
        return next(process for process in self.processes.values() if process.hub is hub)

    def _watch(self, process):
        if process.is_alive:
            process.look()
            self.after(WATCH_MS, partial(self._watch, process))

    def _give(self, letter, rank):
        """Give a sheet to a tablet that has never seen it."""
        name, sheet = f"{letter}{rank}", self.database.sheets[SHEETS[letter]]
        self.holders[letter] = name
        self.tickets[name] = Ticket(sheet.pk, sheet.epoch, CENTRE, SITTING, sheet.number)
        self.judge.tablet(name, sheet.pk, sheet.epoch)
        if self.latency > TRUSTED_MS:
            self.judge.slowed(name)
        self._boot(name, self.random.randint(0, 800))

    def _boot(self, name, ms=0):
        key = f"{SITTING}|{self.tickets[name].number}"
        self.tablets_do(self.now + ms, {"k": "boot", "p": name, "skew": self.skews.get(name, 0), "key": key})

    def _staff(self, deed, *args):
        """The staff asks, waits for its lock, and commits; processes are told, or not."""
        asked = self.moment()
        self.database.is_owned = True
        slow = self.random.randint(0, 1_500) if self.database_mode == "slow" else 0
        self.after(self.random.choice((0, 2, 30, 120)) + slow, partial(self._commit, deed, asked, args))

    def _commit(self, deed, asked, args):
        self.database.is_owned = False
        if not self.database.staff(deed, asked, *args):
            return
        self.trace("staff: %s %s", deed, args)
        if deed == "close":
            args = ({pk: (one.seq, one.digest.hex(), dict(one.answers)) for pk, one in self.database.frozen.items()},)
        self.judge.deed(deed, self.now if deed in {"close", "release"} else milliseconds(asked), *args)
        if deed == "release":
            letter = next(letter for letter, pk in SHEETS.items() if pk == args[0])
            self._give(letter, int(self.holders[letter][1:]) + 1)
        for process in self.processes.values() if self.are_hints_up else ():
            self.after(self.random.randint(1, 40), process.guarded(process.look))

    def _on_open(self):
        self._staff("open")

    def _on_pause(self):
        self._staff("pause")

    def _on_resume(self):
        self._staff("resume")

    def _on_grant(self, sheet, seconds):
        self._staff("grant", sheet, seconds)

    def _on_close(self, has_reason):
        self._staff("close", has_reason)

    def _on_swap(self, letter, _ms):
        self._staff("release", SHEETS[letter])

    def _on_act(self, sheet, kind, question, value, force):
        letter = "AB"[sheet - 1]
        names = [name for name in self.tickets if name[0] == letter]
        self.judge.wanted(sheet, f"{kind}|{question}|{value}")
        event = {
            "k": "act",
            "p": self.random.choice(names),
            "kind": kind,
            "q": question,
            "value": value,
            "force": force,
        }
        self.tablets_do(self.now, event)

    def _on_edge(self, sheet, offset, in_grace):
        end = self.database.sheets[sheet].ends_at
        if end is None:
            self.after(500, partial(self._on_edge, sheet, offset, in_grace))
            return
        edge = milliseconds(end) + (self.script.grace * 1000 if in_grace else 0) + offset
        self._plan(max(self.now, edge - 380), partial(self._hold, edge), None)
        letter = "AB"[sheet - 1]
        self.judge.wanted(sheet, "answer|1|A")
        event = {"k": "act", "p": self.holders[letter], "kind": "answer", "q": 1, "value": "A", "force": True}
        self.tablets_do(max(self.now, min(edge - 150, milliseconds(end) - 20)), event)
        if in_grace:
            self._plan(max(self.now, milliseconds(end) - 400), partial(self._on_network, up=False), None)
            self._plan(max(self.now, edge - 3_000), partial(self._on_network, up=True), None)

    def _hold(self, edge):
        self.edge_at = edge

    def _on_cut(self, letter):
        self._disturb("the sockets of %s are cut", letter)
        for wire in self._wires_of(letter):
            self._break(wire)

    def _on_straggle(self, letter):
        self._disturb("the sockets of %s are cut, and what they sent arrives after that", letter)
        for wire in self._wires_of(letter):
            wire.reaches_tablet = False
            self.tablets_do(self.now + self._delay(), {"k": "closed", "n": wire.number, "code": 1006})
            self.after(2_500, partial(self._hang_up, wire))

    def _on_half_open(self, letter):
        self._disturb("the sockets of %s carry nothing any more, and nobody knows", letter)
        for wire in self._wires_of(letter):
            wire.reaches_tablet = False
            wire.session = None

    def _wires_of(self, letter):
        return [wire for wire in self.wires.values() if wire.tablet[0] == letter and wire.reaches_tablet]

    def _on_network(self, up):
        if self.is_mended and not up:
            return
        self._disturb("the network is %s", "up" if up else "down")
        self.is_network_up = up
        if not up:
            for wire in list(self.wires.values()):
                self._break(wire)
            for number in list(self.posts):
                self._fail(number, self._delay())

    def _on_latency(self, ms):
        self._disturb("frames take up to %d ms", ms)
        self.latency = ms
        for name in self.tickets if ms > TRUSTED_MS else ():
            self.judge.slowed(name)

    def _on_http(self, is_only):
        self._disturb("websockets are %s", "blocked" if is_only else "let through")
        self.is_http = is_only

    def _on_hints(self, up):
        self._disturb("hints are %s", "back" if up else "lost")
        self.are_hints_up = up

    def _on_kill(self, name, is_silent):
        process = self.processes[name]
        self._disturb("%s is killed%s", name, ", and nobody hears of it" if is_silent else "")
        process.is_alive = False
        for wire in self.wires.values():
            if wire.process is process and wire.is_open:
                wire.is_open = False
                if is_silent:
                    wire.reaches_tablet = False
                else:
                    self._break(wire)

    def _on_restart(self, name):
        if not self.processes[name].is_alive:
            self._disturb("%s starts again", name)
            process = self.processes[name] = Process(self, name)
            self._watch(process)

    def _on_database(self, mode):
        self._disturb("the database is %s", mode)
        self.database_mode = mode

    def _on_die(self, letter):
        name = self.holders[letter]
        self._disturb("the page of %s dies", name)
        self.dead.add(name)
        self.judge.died(name, self.asleep.pop(name, self.now))
        self.tablets_do(self.now, {"k": "die", "p": name})

    def _on_boot(self):
        for name in sorted(self.dead):
            self._boot(name)
        self.dead.clear()

    def _on_disk(self, letter, mode):
        name = self.holders[letter]
        self._disturb("the storage of %s: %s", name, mode)
        self.judge.damaged(name, mode, self.now)
        self.tablets_do(self.now, {"k": "disk", "p": name, "mode": mode})

    def _on_sleep(self, letter):
        name = self.holders[letter]
        if name not in self.dead:
            self._disturb("%s sleeps", name)
            self.asleep.setdefault(name, self.now)
            self.judge.sleeps(name)
            self.tablets_do(self.now, {"k": "sleep", "p": name})

    def _on_wake(self, stops):
        for name in sorted(self.asleep):
            self._disturb("%s wakes%s", name, ", its counter stood still" if stops else "")
            self.tablets_do(self.now, {"k": "wake", "p": name, "stops": stops})
        self.asleep.clear()

    def _on_clock(self, letter, ms):
        name = self.holders[letter]
        self._disturb("the clock of %s steps by %d ms", name, ms)
        self.judge.stepped(name)
        self.skews[name] = self.skews.get(name, 0) + ms
        self.tablets_do(self.now, {"k": "clock", "p": name, "skew": self.skews[name]})

    def _disturb(self, text, *args):
        self.trace(f"fault: {text}", *args)
        self.judge.disturbed(self.now)

    def _heal(self):
        """Nothing is broken any more."""
        self._disturb("everything is mended")
        self.is_mended = True
        self.database_mode, self.latency = "up", 30
        self.is_network_up = self.are_hints_up = True
        self.is_http = False
        for name in self.processes:
            self._on_restart(name)
        for name in self.tickets:
            self.judge.damaged(name, "ok", self.now)
            self.tablets_do(self.now, {"k": "disk", "p": name, "mode": "ok"})
        self._on_wake(stops=False)
        self._on_boot()
        if self.database.pauses and self.database.pauses[-1].ended_at is None:
            self._staff("resume")

    def _credited(self, sheet, seconds):
        self.trace("credited: sheet %d, %d s", sheet, seconds)
        self.judge.deed("credit", self.now, sheet, seconds)

    def _committed(self, sheet, epoch, op, received):
        key = f"{KINDS[op.kind.value]}|{op.question}|{op.value}|{op.made_at}"
        self.trace("stored: sheet %d, %d %s", sheet, op.seq, key)
        self.judge.committed(sheet, Row(op.seq, epoch, key, op.digest.hex(), milliseconds(received)))


def _said_of(screen):
    saved = "Enregistré" if screen["saved"] else f"{screen['waiting']} waiting"
    ending = f", {screen['ending']}" if screen["ending"] else ""
    storage = "" if screen["durable"] else ", not stored" if screen["read"] else ", storage not read"
    return f"{saved}, {screen['status']}, {screen['link']}, head {screen['seq']}{ending}{storage}"
