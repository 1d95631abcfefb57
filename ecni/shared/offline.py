"""A page that a service worker keeps on the tablet: the list of all that it loads, then the script that keeps it.

The list follows the imports of the page's own modules and styles, so that no release can forget a file. Its version is
a digest of what is kept: the same files, the same worker.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import render_to_string
from django.urls import reverse

UNANSWERED = "centres/unanswered.html"
"""Template of the page that says to wait, where no process of the house can say it: by nginx, by the tablet itself."""

_LOADED_BY_PAGE = re.compile(r'(?:href|src)="([^"]+\.(?:css|js|svg))"')
_LOADED_BY_FILE = re.compile(r"""(?:\bfrom|\bimport|\burl\()\s*["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that is the same for everybody.

    Attributes:
        template: what renders it, without a request.
        script: source name of the service worker, a classic script that reads `RELEASE`.
        view: name of the address where it is served.
    """

    template: str
    script: str
    view: str

    def worker(self) -> str:
        """Return the script of the service worker, after a line that says `RELEASE`: version, page, assets."""
        return written(self) if settings.WHITENOISE_AUTOREFRESH else _written_once(self)

    def files(self) -> list[str]:
        """Return the source names, in order, of the static files that the page loads and of those they load."""
        page = render_to_string(self.template)
        sources = {staticfiles_storage.url(name): name for name in _static_names()}
        found: dict[str, None] = {}
        waiting = [sources[address] for address in _LOADED_BY_PAGE.findall(page) if address in sources]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = None
                waiting += _loaded_by(name)
        return sorted(found)


def _static_names() -> Iterator[str]:
    for finder in finders.get_finders():
        for name, _storage in finder.list([]):
            if name.startswith(("js/", "css/", "img/")):
                yield name


def _loaded_by(name: str) -> list[str]:
    if not name.endswith((".js", ".css")):
        return []
    text = _source(name).decode()
    return [normpath(join(dirname(name), path)) for path in _LOADED_BY_FILE.findall(text) if ":" not in path]


def _source(name: str) -> bytes:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    return Path(path).read_bytes()


def written(page: KeptPage) -> str:
    """Return the script of a page's worker as its sources are now."""
    files = page.files()
    script = _source(page.script)
    kept = sha256(render_to_string(page.template).encode() + script)
    for name in files:
        kept.update(f"{name}\n".encode() + _source(name))
    release = {
        "version": kept.hexdigest()[:16],
        "page": reverse(page.view),
        "assets": [staticfiles_storage.url(name) for name in files],
    }
    return f"const RELEASE = {json.dumps(release)};\n{script.decode()}"


_written_once = cache(written)
