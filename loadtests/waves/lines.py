"""The two connections of a tablet without their sockets: a page's (HTTP/1.1, kept alive) and a link's (websocket).

An engine gives them what it receives and sends what they hold in `outgoing`; nothing here waits, reads a clock or knows
which engine that is.
"""

import hashlib
import os
from dataclasses import dataclass, field
from http import HTTPStatus

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
MASKED, LAST = 0x80, 0x80
SHORT = 126
ABNORMAL = 1006


class Broken(Exception):
    """What came is not what this connection expects; the engine closes it."""


@dataclass(slots=True)
class Visitor:
    """What a browser says of itself on every connection.

    Attributes:
        base: address of the platform, such as `http://127.0.0.1:8000`.
        source: address of this machine that its connections leave from: that of its centre.
        cookies: by name.
    """

    base: str
    source: str
    cookies: dict[str, str] = field(default_factory=dict)

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """Return the head of a request."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        host = self.base.partition("://")[2]
        fixed = (f"{method} {path} HTTP/1.1", f"Host: {host}", f"Origin: {self.base}", f"Cookie: {cookies}")
        return "\r\n".join([*fixed, *lines, "", ""]).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; of a long body only what is asked for is kept: its digest and its size always are.

    Attributes:
        status: of HTTP; 0 when the connection was lost before it came.
        headers: by name in lower case.
        body: empty when it was not to be kept.
        size: bytes of the body; of all that came of an answer that was lost.
        digest: SHA-256 of the body in hexadecimal; empty unless it was asked for.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    size: int = 0
    digest: str = ""


class Line:
    """What an engine sees of a connection.

    Attributes:
        wanted: whether there must be one.
        is_open: whether there is.
        serial: which one: it grows when a connection is lost, so that its socket is not taken for the next one's.
        outgoing: what must leave.
    """

    __slots__ = ("is_open", "outgoing", "serial", "visitor", "wanted")

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.wanted = self.is_open = False
        self.serial = 0
        self.outgoing = b""

    def _forget(self) -> None:
        self.wanted = self.is_open = False
        self.serial += 1
        self.outgoing = b""


class Page(Line):
    """Requests, one at a time."""

    __slots__ = ("_body", "_head", "_keep", "_left", "_size", "_state", "_summing")

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._state = "idle"
        self._begin(keep=True)

    @property
    def is_waiting(self) -> bool:
        """Whether a request has been made whose answer is not complete."""
        return self._state != "idle"

    def ask(self, method: str, path: str, fields: bytes = b"", *, keep: bool = True) -> None:
        """Make a request; `keep` the body of its answer, or only sum it up."""
        self.wanted = True
        self._begin(keep=keep)
        self._state = "head"
        lines = [f"Referer: {self.visitor.base}/", "Accept: text/html,*/*"]
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(fields)}"]
        self.outgoing += self.visitor.head(method, path, *lines) + fields

    def receive(self, data: bytes) -> Answer | None:
        """Take what came; return the answer once it is complete.

        Raises:
            Broken: this is no answer.
        """
        if self._state == "head":
            rest = self._take_head(data)
            if rest is None:
                return None
            data = rest
        if self._state == "body":
            self._take(data)
            self._left -= len(data)
        elif self._state == "chunks":
            self._take_chunks(data)
        elif data:
            raise Broken
        return self._finish() if self._state != "head" and self._left <= 0 else None

    def lost(self) -> Answer | None:
        """The connection is gone; return what stands for the answer that was awaited, if one was."""
        waiting, self._state = self.is_waiting, "idle"
        self._forget()
        return Answer(0, size=len(self._head) + self._size) if waiting else None

    def _begin(self, *, keep: bool) -> None:
        self._head, self._body, self._size, self._left = b"", b"", 0, 1
        self._keep = keep
        self._summing = None if keep else hashlib.sha256()

    def _take_head(self, data: bytes) -> bytes | None:
        head, found, rest = (self._head + data).partition(b"\r\n\r\n")
        self._head = head
        if not found:
            return None
        status, headers = read_head(head, self.visitor.cookies)
        bodiless = status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        chunked = headers.get("transfer-encoding") == "chunked"
        self._state = "chunks" if chunked else "body"
        self._left = 1 if chunked else 0 if bodiless else int(headers.get("content-length", 0))
        return rest

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._keep:
            self._body += data
        elif self._summing is not None:
            self._summing.update(data)

    def _take_chunks(self, data: bytes) -> None:
        """Chunked bodies are short pages: they are kept whole until their end has come."""
        self._body += data
        if self._body.endswith(b"0\r\n\r\n"):
            raw, self._body, self._left = self._body, b"", 0
            while raw and raw != b"\r\n":
                size, _, raw = raw.partition(b"\r\n")
                length = int(size, 16)
                self._take(raw[:length])
                raw = raw[length + 2 :]

    def _finish(self) -> Answer:
        status, headers = read_head(self._head, self.visitor.cookies)
        self._state = "idle"
        if headers.get("connection", "").lower() == "close":
            self.wanted = False
        digest = "" if self._summing is None else self._summing.hexdigest()
        answer = Answer(status, headers, self._body, self._size, digest)
        self._begin(keep=True)
        return answer


class Link(Line):
    """A websocket: its handshake, then texts each way."""

    __slots__ = ("_inbox", "code", "is_up", "status")

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._inbox = b""
        self.is_up = False
        self.code = ABNORMAL
        self.status = 0

    def call(self, path: str) -> None:
        """Ask for the connection and its handshake."""
        self.wanted = True
        self._inbox, self.is_up, self.code, self.status = b"", False, ABNORMAL, 0
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        lines = ("Upgrade: websocket", "Connection: Upgrade", key, "Sec-WebSocket-Version: 13")
        self.outgoing = self.visitor.head("GET", path, *lines)

    def say(self, text: str) -> None:
        """Send one text, of 64 KiB at most, once the handshake is done."""
        self.outgoing += frame(TEXT, text.encode())

    def receive(self, data: bytes) -> list[str]:
        """Take what came; return the texts in it. Pings are answered; `code` and `wanted` tell of a close.

        Raises:
            Broken: the handshake was refused (`status` tells), or this is no websocket.
        """
        self._inbox += data
        if not self.is_up:
            head, found, rest = self._inbox.partition(b"\r\n\r\n")
            if not found:
                return []
            self.status, _ = read_head(head, {})
            if self.status != HTTPStatus.SWITCHING_PROTOCOLS:
                raise Broken
            self._inbox, self.is_up = rest, True
        texts: list[str] = []
        while (parsed := parse_frame(self._inbox)) is not None:
            kind, payload, self._inbox = parsed
            self._take(kind, payload, texts)
        return texts

    def lost(self) -> None:
        """The connection is gone, or was never made."""
        self._forget()
        self.is_up, self._inbox = False, b""

    def _take(self, kind: int, payload: bytes, texts: list[str]) -> None:
        if kind == TEXT:
            texts.append(payload.decode())
        elif kind == PING:
            self.outgoing += frame(PONG, payload)
        elif kind == CLOSE:
            self.code = int.from_bytes(payload[:2], "big") if payload else ABNORMAL
            self.outgoing += frame(CLOSE, payload[:2])
            self.wanted = False


def read_head(head: bytes, cookies: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer; keep its cookies.

    Raises:
        Broken: this is no head.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    try:
        status = int(first.split(" ", 2)[1])
    except (IndexError, ValueError) as error:
        raise Broken from error
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if name == "set-cookie":
            pair = value.partition(";")[0]
            cookies[pair.partition("=")[0]] = pair.partition("=")[2]
        headers[name] = value
    return status, headers


def frame(kind: int, payload: bytes) -> bytes:
    """Return one masked websocket frame, as a browser sends it; 64 KiB at most."""
    size = len(payload)
    head = bytes([LAST | kind, MASKED | size]) if size < SHORT else bytes([LAST | kind, MASKED | SHORT])
    head += b"" if size < SHORT else size.to_bytes(2, "big")
    mask = os.urandom(4)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def parse_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Return kind, payload and what follows of the first frame; None while it is not complete.

    Raises:
        Broken: a frame that this protocol never sends: fragmented, or masked.
    """
    if len(data) < 2:  # noqa: PLR2004 -- the least that a frame is
        return None
    if not data[0] & LAST or data[1] & MASKED:
        raise Broken
    size, start = data[1], 2
    if size >= SHORT:
        width = 2 if size == SHORT else 8
        if len(data) < 2 + width:
            return None
        size, start = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], data[start + size :]
