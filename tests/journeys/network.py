"""A cable between a browser and the house, which can be cut, mended, or made to let no websocket through."""

import socket
import threading
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector

CHUNK = 65536


class Cable:
    """Forwards TCP from a port of its own to the house; a context manager that ends everything."""

    def __init__(self, house: str) -> None:
        self._to = ("127.0.0.1", int(house.rpartition(":")[2]))
        self._calls: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.forbids_websockets = False
        self.forbids_frames = False
        self.forbids_tablet_page = False
        self.forbids_worker = False
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.cut()

    def cut(self):
        """Refuse every new call and reset those that are there."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._guard:
            calls, self._calls = self._calls, set()
        for call in calls:
            _hang_up(call)

    def mend(self):
        """Take calls again, on the same port."""
        if self._listener is None:
            self._listener = self._listen(self.port)

    def forbid_websockets(self):
        """Let nothing through but plain requests, from the next call on; end what is open."""
        self.forbids_websockets = True
        self.cut()
        self.mend()

    def allow_websockets(self):
        """Let everything through."""
        self.forbids_websockets = False

    def _listen(self, port):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()
        return listener

    def _accept(self, listener):
        while True:
            try:
                call, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=[call], daemon=True).start()

    def _carry(self, call):
        with suppress(OSError), call, socket.create_connection(self._to) as house:
            with self._guard:
                self._calls |= {call, house}
            try:
                self._forward(call, house)
            finally:
                with self._guard:
                    self._calls -= {call, house}

    def _forward(self, call, house):
        other = {call: house, house: call}
        with DefaultSelector() as ready:
            for end in other:
                ready.register(end, EVENT_READ)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(CHUNK)
                    if not data or self._is_forbidden(data):
                        return
                    other[key.fileobj].sendall(data)

    def _is_forbidden(self, data):
        """Look at the beginning of what is sent: enough, for a browser sends a request's head at once."""
        is_socket, is_frames = data.startswith(b"GET /ws/"), data.startswith(b"POST /copie/trames/")
        is_page = data.startswith(b"GET /copie/ ")
        return (
            (self.forbids_websockets and is_socket)
            or (self.forbids_frames and is_frames)
            or (self.forbids_tablet_page and is_page)
            or (self.forbids_worker and data.startswith(b"GET /copie/sw.js "))
        )


def _hang_up(call):
    with suppress(OSError):
        call.shutdown(socket.SHUT_RDWR)
