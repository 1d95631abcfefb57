"""A small HTTP/1.1 client over asyncio, with cookies: what a browser would send, nothing more."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from loadtests.encryption import encryption

PATIENCE_SECONDS = 60.0
"""A server that says nothing for as long has failed: whoever asked goes on, or says so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass(slots=True)
class Browser:
    """One visitor: an address and its cookies."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> Answer:
        """Fetch a page, following redirections."""
        return await self._follow(await self._request("GET", path, b"", {}))

    async def post(self, path: str, fields: Mapping[str, str | Sequence[str]], accept: str = "text/html") -> Answer:
        """Send a form with its CSRF token, following redirections."""
        token = self.cookies.get("csrftoken", "")
        body = urlencode({"csrfmiddlewaretoken": token, **fields}, doseq=True).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": accept}
        return await self._follow(await self._request("POST", path, body, headers))

    async def post_json(self, path: str, content: object) -> Answer:
        """Send JSON."""
        return await self._request("POST", path, json.dumps(content).encode(), {"Content-Type": "application/json"})

    @property
    def cookie_header(self) -> str:
        """The cookies as one header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def _follow(self, answer: Answer) -> Answer:
        for _ in range(5):
            if answer.status not in {301, 302, 303}:
                return answer
            answer = await self._request("GET", answer.headers["location"], b"", {})
        return answer

    async def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._ask(method, path, body, headers)
        except TimeoutError as error:
            raise ConnectionResetError(f"{method} {path}: no answer in {PATIENCE_SECONDS:.0f} s") from error

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        place = urlsplit(self.base)
        reader, writer = await asyncio.open_connection(place.hostname, place.port, ssl=encryption(self.base))
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {place.netloc}",
            f"Origin: {self.base}",
            f"Referer: {self.base}{path}",
            f"Cookie: {self.cookie_header}",
            "Connection: close",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            return self._read(await reader.read())
        finally:
            writer.close()

    def _read(self, raw: bytes) -> Answer:
        if not raw:
            raise ConnectionResetError("no answer")
        head, _, body = raw.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value.strip()).items()}
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            body = _dechunk(body)
        return Answer(int(status.split()[1]), headers, body)


def _dechunk(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)
