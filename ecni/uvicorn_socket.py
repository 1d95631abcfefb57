"""uvicorn's websocket, but one that waits for nobody: whoever reads nothing of what they are sent is cut.

uvicorn has a send wait until its reader has read; one send tells many tablets one after the other, so that each would
wait for the one that reads nothing. Daphne never waits. Its command is in `ecni.supervisor.servers`.
"""

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_UNREAD = 1_048_576
"""Bytes that may wait for one reader, beside what the kernel holds for it: some twenty times a full sheet."""


class UnwaitingSocket(WebSocketsSansIOProtocol):
    """What `uvicorn --ws ecni.uvicorn_socket:UnwaitingSocket` makes of a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let more wait than uvicorn does before it says so."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=MOST_UNREAD)

    def pause_writing(self) -> None:
        """Cut who has not read that much; they come back by themselves, to a state that says all."""
        self.transport.abort()
