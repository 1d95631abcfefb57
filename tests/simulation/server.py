"""Server processes of the simulation: the real hub, session and frames, on a clock, a loop, a database that are given.

Importing this module points the edges of this whole process at the simulation: it lives in a process of its own
(`python -m tests.simulation`), never in that of the tests.
"""

from collections import deque
from functools import partial
from operator import attrgetter
from types import SimpleNamespace

from exams.consumers import frames
from exams.consumers import hub as hubs
from exams.consumers.clock import ServerClock
from exams.consumers.collector import Spared
from exams.consumers.session import Farewell
from tests.simulation.database import KEYS, SHAPES

LINGER_MS = 4
RETRY_MS = 250
SETTLING_MS = 20_000


class Ambient:
    """The world that is being stepped: what module-level calls of the product reach."""

    world = None


def reached(path):
    """Return a function of the world that is being stepped, found when it is called."""

    def call(*args, **kwargs):
        return attrgetter(path)(Ambient.world)(*args, **kwargs)

    return call


class Loop:
    """As much of an event loop as the hub asks for."""

    @staticmethod
    def call_later(seconds, call, *args):
        """Plan a call of the hub, which dies with its process."""
        Ambient.world.after(round(seconds * 1000), Ambient.world.process_of(call.__self__).guarded(call, *args))

    @staticmethod
    async def run_in_executor(_executor, call, *args):
        """Call at once."""
        return call(*args)


class Event:
    """An event that suspends the coroutine which waits for it until it is driven again."""

    def __init__(self):
        self._is_set = False

    def set(self):
        """Let the coroutine go on when it is driven."""
        self._is_set = True

    def clear(self):
        """Forget."""
        self._is_set = False

    def __await__(self):
        while not self._is_set:
            yield

    def wait(self):
        """Return what to await."""
        return self


hubs.asyncio = SimpleNamespace(get_running_loop=Loop)
hubs.append_ops = lambda **asked: Ambient.world.database.append_ops(**asked, clock=Ambient.world.moment())
hubs.database_now = reached("moment")
hubs.keep_refusals = reached("database.keep_refusals")
hubs.live_sheets = reached("database.live_sheets")
hubs.revisions = reached("database.revisions")
hubs.sheet_statuses = reached("database.sheet_statuses")
hubs.statuses_of = reached("database.statuses_of")
hubs.credit_outages = reached("database.credit_outages")
hubs.mark_ready = lambda **_asked: None
hubs.paper_shapes = lambda _paper: SHAPES
hubs.paper_keys = lambda _paper: KEYS
frames.asyncio = SimpleNamespace(Event=Event)


def run(coroutine):
    """Run to its end a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("it waits")


class Batch:
    """`exams.consumers.batch.Batch` without its thread: the same gathering, one batch at a time."""

    def __init__(self, process, work, settle, *, decides=False):
        self._process, self._work, self._settle, self._decides = process, work, settle, decides
        self._waiting = []
        self._is_busy = False

    def submit(self, item):
        """Hand over one item."""
        self._waiting.append(item)
        self._start()
        return True

    def _start(self):
        world = self._process.world
        if self._waiting and not self._is_busy:
            self._is_busy = True
            world.after(world.linger(LINGER_MS, decides=self._decides), self._process.guarded(self._run))

    def _run(self):
        items, self._waiting = self._waiting, []
        world = self._process.world
        if world.database_mode == "slow":
            # what is under way when a process dies is done or not, nobody knows
            call = partial(self._do, items)
            is_sure = world.random.random() < 0.5
            world.after(world.random.randint(50, 1_200), call if is_sure else self._process.guarded(call))
        else:
            self._do(items)

    def _do(self, items):
        world = self._process.world
        mode = world.database_mode
        results = None
        if mode in {"up", "slow"} or (mode == "unknown" and world.random.random() < 0.5):
            results = self._work(items)
        delay = world.random.randint(0, 1_200 if mode == "slow" else 3)
        if mode in {"refuses", "unknown"}:
            world.trace("a batch fails (%s), committed: %s", mode, results is not None)
            results, delay = None, RETRY_MS
        world.after(delay, self._process.guarded(self._end, items, results))

    def _end(self, items, results):
        for position, item in enumerate(items):
            run(self._settle(item, None if results is None else results[position]))
        self._is_busy = False
        self._start()
        self._process.poke()


class Hub(hubs.Hub):
    """The real hub, without its threads and tasks."""

    def __init__(self, process):
        world = process.world
        self.clock = ServerClock(world.moment(), world.seconds)
        self.sessions, self.seen = {}, {}
        self.writer = Batch(process, self._write, self._settle_op, decides=True)
        self.refusals = Batch(process, self._keep, self._settle_refusal)
        self.reader = Batch(process, self._read, self._settle_hello)
        self.ready = Batch(process, self._ready, self._settle_ready)
        self._buckets, self._books, self._graces, self._known, self._presences = {}, {}, {}, {}, {}
        self._readied, self.spared = set(), Spared()
        self.door = self._make_door()
        self._database = hubs.Turn(hubs.logger, "PostgreSQL", "postgresql")
        self._watching = None


class Process:
    """One server process, that may die; what it has not yet done is then never done."""

    def __init__(self, world, name):
        self.world, self.name, self.is_alive = world, name, True
        self.hub = Hub(self)
        self._exchanges = deque()

    def guarded(self, call, *args):
        """Return the call, to be made only if the process lives then."""
        return lambda: call(*args) if self.is_alive else None

    def look(self):
        """Read again what the staff may have changed, as each second."""
        if self.world.database_mode == "up" or (
            self.world.database_mode == "slow" and self.world.random.random() < 0.5
        ):
            run(self.hub._look())

    def exchange(self, session, mailbox, texts, answered):
        """Answer one request of `CandidateFrames`; `answered` is called once, with its frames."""
        self._exchanges.append((session, mailbox, frames.exchange(session, mailbox, self.hub, texts), answered))
        self.world.after(SETTLING_MS, self.guarded(self._give_up, mailbox))
        self.poke()

    def poke(self):
        """Let requests go on that were waiting for a batch."""
        for _ in range(len(self._exchanges)):
            session, mailbox, coroutine, answered = waiting = self._exchanges.popleft()
            try:
                coroutine.send(None)
            except StopIteration:
                answered(mailbox.frames)
            except Farewell as farewell:
                run(session.say_bye(farewell.code, farewell.close_code))
                answered(mailbox.frames)
            else:
                self._exchanges.append(waiting)

    def _give_up(self, mailbox):
        for waiting in [one for one in self._exchanges if one[1] is mailbox]:
            self._exchanges.remove(waiting)
            waiting[2].close()
            waiting[3]([*mailbox.frames, frames.refused("busy")])
