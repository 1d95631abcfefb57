"""Daphne's websocket library writes its debug lines before it asks whether anybody reads them. Nobody does here.

It dumps its forty options at each handshake and paints names at each frame: a third of a handshake's processor time.
The functions that make those texts are put to sleep in its modules; what it does, and its other logs, stay as they are.
"""

import sys
from types import ModuleType

PAINTERS = {
    "autobahn.websocket.protocol": ("pformat", "hltype", "hlval"),
    "autobahn.twisted.websocket": ("hltype", "hlval"),
}


def spare_debug_lines() -> None:
    """Have the library write no debug text, if a server has loaded it; doing it again changes nothing."""
    for module_name, names in PAINTERS.items():
        module = sys.modules.get(module_name)
        if module is not None:
            _put_to_sleep(module, names)


def _put_to_sleep(module: ModuleType, names: tuple[str, ...]) -> None:
    for name in names:
        if hasattr(module, name):
            setattr(module, name, nothing)


def nothing(_value: object, *_options: object, **_more: object) -> str:
    """Say nothing of a value."""
    return ""
