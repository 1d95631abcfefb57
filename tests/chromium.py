"""A Chromium for the browser tests: found on the machine, else installed. `python -m tests.chromium` says which."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find():
    """Return the path of a Chromium: $CHROMIUM, the system's, the one that Playwright keeps, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    kept = sorted(cache.glob("chromium-*/chrome-linux*/chrome"))
    return str(kept[-1]) if kept else None


def install():
    """Try the system's packages when they may be used, then Playwright's own download; return what is found after."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts.insert(0, ["sh", "-c", "apt-get update -q && apt-get install -y -q --no-install-recommends chromium"])
    for attempt in attempts:
        subprocess.run(attempt, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=600)
        if path := find():
            return path
    return None


if __name__ == "__main__":
    sys.stdout.write(f"Chromium: {find() or install() or 'none to be had here; browser tests will be skipped'}\n")
