"""The consoles' sockets: a board pushed when it changes, at most every two seconds, and commands answered in words."""

import asyncio
import contextlib
import json
import logging
import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import Error

from centres.actions.room import carry_out
from centres.models import Hosting
from centres.protocol import NO_ANSWER, BadCommand, parse_command
from centres.queries.boards import national_board, room_board
from centres.queries.hostings import hosting_for
from centres.queries.nation import national_hostings, sitting_to_watch
from centres.rules.board import LATE_SECONDS, PUSH_SECONDS
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.broadcast import NATIONAL_GROUP, room_group
from exams.queries.clock import agreed_now
from exams.rules.states import Refused

logger = logging.getLogger(__name__)

NOT_FOUND = 4404
LATE = "L’affichage date : le tableau se fait attendre"
MUTE = "La base de données ne répond pas : l’affichage date"
DATABASE_THREADS = ThreadPoolExecutor(3, "console")
BOARD_THREAD = ThreadPoolExecutor(1, "board")

P = ParamSpec("P")
T = TypeVar("T")


class BoardReader:
    """Reads boards one after the other, in a thread that rests after each for as long as it took, two seconds at most.

    Whatever the number of consoles, they take half of a thread from the pages of their process: with more to read, or
    less of a processor, boards get older, and commands do not wait behind them.
    """

    def __init__(self) -> None:
        self._rested_at = 0.0

    async def read(self, board: Callable[[], T]) -> T:
        """Read a board when its turn comes."""
        call: Any = database_sync_to_async(self._read, thread_sensitive=False, executor=BOARD_THREAD)
        found: T = await call(board)
        return found

    def _read(self, board: Callable[[], T]) -> T:
        time.sleep(max(0.0, self._rested_at - time.monotonic()))
        began = time.monotonic()
        try:
            return board()
        finally:
            ended = time.monotonic()
            self._rested_at = ended + min(ended - began, PUSH_SECONDS)


READER = BoardReader()


async def in_database_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a query or an action in one of the few threads that consoles share."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=DATABASE_THREADS)
    result: T = await call(*args, **kwargs)
    return result


class BoardConsumer(AsyncJsonWebsocketConsumer):
    """What both boards share: who is there, and a push of what changed.

    The board is read again two seconds later, since presences are not announced, and sooner after a commit,
    `shortest_gap` seconds after the last push at the earliest; each reading waits for its turn.
    """

    group: str
    user: User
    shortest_gap = 0.5

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one console until it leaves, and stop pushing to it whatever made it leave."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.stop_pushing()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without Channels' detour by a database thread for each."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Accept whoever may see this board, then start to push it."""
        user: object = self.scope["user"]
        if isinstance(user, User):
            self.user = user
        if not isinstance(user, User) or not await self.find():
            await self.accept()
            await self.close(NOT_FOUND)
            return
        await self.accept()
        self.last: dict[str, Any] = {}
        self.changed = asyncio.Event()
        await self.channel_layer.group_add(self.group, self.channel_name)
        self.pushing = asyncio.create_task(self._push_for_ever())

    async def stop_pushing(self) -> None:
        """Let go of the task that reads the board."""
        if not hasattr(self, "pushing"):
            return
        self.pushing.cancel()
        (ended,) = await asyncio.gather(self.pushing, return_exceptions=True)
        if isinstance(ended, Exception) and not isinstance(ended, OSError):  # who has gone is no news
            logger.error("a board was not pushed any more", exc_info=ended)
        await self.channel_layer.group_discard(self.group, self.channel_name)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Return what a text says; None for one that says nothing."""
        try:
            return json.loads(text_data)
        except (ValueError, RecursionError):
            return None

    def person(self) -> User:
        """Return who is there, as the account stands now: a console stays open longer than some rights last."""
        return User.objects.get(pk=self.user.pk)

    async def room_changed(self, _message: dict[str, Any]) -> None:
        """Push soon: something was committed."""
        self.changed.set()

    @abstractmethod
    async def find(self) -> bool:
        """Whether the board exists and this person may see it; sets `group`."""

    @abstractmethod
    def board(self) -> dict[str, Any]:
        """Return the whole board, read in a database thread."""

    def difference(self, board: dict[str, Any]) -> dict[str, Any]:
        """Return the parts that are not as they were last pushed."""
        return {name: part for name, part in board.items() if self.last.get(name) != part}

    async def _read(self) -> dict[str, Any]:
        """Read the board; meanwhile say that one is there, then that what shows is dated: silence is a dead socket."""
        reading = asyncio.ensure_future(READER.read(self.board))
        said: dict[str, str] = {"type": "alive"}
        try:
            while not (await asyncio.wait({reading}, timeout=(LATE_SECONDS - PUSH_SECONDS) / 2))[0]:
                await self.send_json(said)
                said = {"type": "stale", "text": LATE}
            return reading.result()
        finally:
            reading.cancel()

    async def _push_for_ever(self) -> None:
        while True:
            self.changed.clear()
            try:
                board = await self._read()
            except Hosting.DoesNotExist:
                await self.close(NOT_FOUND)
                return
            except Error:
                await self.send_json({"type": "stale", "text": MUTE})
                await asyncio.sleep(PUSH_SECONDS)
                continue
            await self.send_json({"type": "board", **self.difference(board)})
            self.last = board
            await asyncio.sleep(self.shortest_gap)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), PUSH_SECONDS - self.shortest_gap)


class RoomConsumer(BoardConsumer):
    """One centre's console. It decides nothing."""

    hosting: Hosting

    async def find(self) -> bool:
        """Find the hosting, among those of the actor."""
        hosting_id = self.scope["url_route"]["kwargs"]["hosting_id"]
        try:
            self.hosting = await in_database_thread(hosting_for, self.user, hosting_id)
        except Hosting.DoesNotExist:
            return False
        self.group = room_group(self.hosting.centre_sitting_id)
        return True

    def board(self) -> dict[str, Any]:
        """Return the room's board; the right to see it is read again each time."""
        return room_board(hosting_for(self.person(), self.hosting.pk), now())

    def difference(self, board: dict[str, Any]) -> dict[str, Any]:
        """Return the parts that changed; of the rows, only those that changed."""
        before = {row["seat"]: row for row in self.last.get("rows", [])}
        rows = [row for row in board["rows"] if before.get(row["seat"]) != row]
        return super().difference(board) | {"rows": rows}

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        """Carry one command out and answer it, with the number by which the page knows it."""
        if not isinstance(content, dict):
            return
        answer = await in_database_thread(self._answer, content)
        await self.send_json({"type": "answer", "id": content.get("id"), **answer})

    def _answer(self, content: dict[str, Any]) -> dict[str, Any]:
        try:
            command = parse_command(content.get("verb"), content)
            actor = self.person()
            hosting = hosting_for(actor, self.hosting.pk)
            instant = agreed_now(now())
            return {"ok": True, "text": carry_out(command=command, hosting=hosting, actor=actor, now=instant)}
        except BadCommand as error:
            return {"ok": False, "code": "malformed", "text": str(error)}
        except Hosting.DoesNotExist:
            return {"ok": False, "code": "not-found", "text": "Ce centre ne vous est plus ouvert."}
        except Refused as refusal:
            return {"ok": False, "code": refusal.code, "text": str(refusal)}
        except Error:
            logger.exception("a command of a console failed")
            return {"ok": False, "code": "busy", "text": NO_ANSWER}


class NationalConsumer(BoardConsumer):
    """The national board: one tile per centre."""

    group = NATIONAL_GROUP
    shortest_gap = PUSH_SECONDS

    async def find(self) -> bool:
        """Find the sitting asked for, or the current one."""
        asked = parse_qs(self.scope["query_string"].decode(errors="replace")).get("epreuve", [""])[0]
        sitting = await in_database_thread(sitting_to_watch, self.user, asked, now())
        if sitting is None:
            return False
        self.sitting_id = sitting.pk
        return True

    def board(self) -> dict[str, Any]:
        """Return the nation's board; the right to see it is read again each time."""
        actor = self.person()
        if sitting_to_watch(actor, str(self.sitting_id), now()) is None:
            raise Hosting.DoesNotExist
        return national_board(national_hostings(actor, self.sitting_id), now())
