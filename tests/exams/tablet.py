"""A tablet that speaks the wire to a real server, and what the kernel sees of its connections."""

import json
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from exams.consumers.frames import PATH
from exams.tickets import COOKIE, Ticket, mint_ticket
from tests.exams.sitting import Chain

PATIENCE = 20
ESTABLISHED = "01"


class Tablet:
    def __init__(self, base, sheet, cookies=""):
        self.base = base
        ticket = Ticket(sheet.pk, 1, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)
        self.headers = {"Cookie": f"{COOKIE}={mint_ticket(ticket)}{cookies}"}
        self.chain = Chain(sheet)
        self.socket = None
        self.close = (stack := ExitStack()).close
        self._enter = stack.enter_context

    def open(self, **options):
        address = f"ws://{urlsplit(self.base).netloc}/ws/copie/"
        given = {"origin": self.base, "additional_headers": self.headers, "proxy": None} | options
        self.socket = self._enter(connect(address, **given))
        return self.socket

    def hello(self):
        self.open().send('{"t":"hello","v":1}')
        return self.receive("state")

    def receive(self, *kinds):
        while True:
            frame = json.loads(self.socket.recv(timeout=PATIENCE))
            if frame["t"] in kinds:
                return frame

    def frame(self, value):
        op = self.chain.op(value=value)
        said = {"t": "op", "seq": op.seq, "kind": "answer", "q": op.question, "value": op.value, "at": op.made_at}
        return said | {"digest": op.digest.hex()}

    def answer(self, value):
        self.socket.send(json.dumps(self.frame(value)))
        return self.receive("ack", "refused")

    def close_code(self):
        """Wait until the server closes; None when it did not say why."""
        try:
            while True:
                self.socket.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def post(self, frames, **headers):
        body = json.dumps(frames).encode()
        given = self.headers | {"Content-Type": "application/json"} | headers
        with urlopen(Request(f"{self.base}{PATH}", body, given), timeout=PATIENCE) as response:
            return json.loads(response.read())


def clients(port):
    """How many clients a listening port has."""
    return sum(row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED for row in kernel_rows())


def holds(pid, client_port):
    """Whether a process has the server's end of a connection."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return any(row[2].endswith(f":{client_port:04X}") and row[9] in inodes for row in kernel_rows())


def kernel_rows():
    return [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
