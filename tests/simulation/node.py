"""Where Node is."""

import os
import shutil
import sys
from pathlib import Path


def node():
    """Return the path of Node, the system's or the one that the browser's driver brings, or None."""
    brought = Path(sys.prefix).glob("lib/python3*/site-packages/playwright/driver/node")
    return os.environ.get("NODE") or shutil.which("node") or next(map(str, brought), None)
