"""One browser at the door: an HTTP connection that is kept, and its cookies. Standard library only."""

import asyncio
import re
from http import HTTPStatus
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Self
from urllib.parse import urlencode


class Visitor:
    """A browser on one port of the loopback, as an asynchronous context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()

    async def enter(self, code: str) -> None:
        """Type the code of a slip, confirm the identity, receive the ticket.

        Raises:
            RuntimeError: a page was not the one expected.
        """
        await self._ask("GET", "/entrer/", HTTPStatus.OK)
        await self._ask("POST", "/entrer/identite/", HTTPStatus.OK, {"code": code})
        await self._ask("POST", "/entrer/oui/", HTTPStatus.FOUND, {"code": code})

    async def get_empty_pages(self, _code: str) -> None:
        """Ask for as many pages, which are empty."""
        for _ in range(3):
            await self._ask("GET", "/", HTTPStatus.OK)

    async def _ask(self, method: str, path: str, expected: HTTPStatus, form: dict[str, str] | None = None) -> None:
        token = {"csrfmiddlewaretoken": self._cookies.get("csrftoken", "")}
        body = urlencode(token | form).encode() if form is not None else b""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Cookie: {'; '.join(f'{name}={value}' for name, value in self._cookies.items())}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
        await self._reader.readexactly(int(length[1]) if length else 0)
        for cookie in re.findall(r"(?i)\r\nset-cookie: ([^\r]+)", head):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
        if int(head.split()[1]) != expected:
            raise RuntimeError(f"{method} {path}: {head.splitlines()[0]}")
