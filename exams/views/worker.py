"""The service worker of the tablet's page: the list of all that the page loads, then the script that keeps it.

The list follows the imports of the page's own modules and styles, so that no release can forget a file. Its version is
a digest of what is kept: the same files, the same worker.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

PAGE = "exams/tablet.html"
SCRIPT = "js/exam/worker.js"
_LOADED_BY_PAGE = re.compile(r'(?:href|src)="([^"]+\.(?:css|js|svg))"')
_LOADED_BY_FILE = re.compile(r"""(?:\bfrom|\bimport|\burl\()\s*["']([^"']+)["']""")


@require_safe
@cache_control(no_cache=True)
def show_worker(_request: HttpRequest) -> HttpResponse:
    """Send the script that keeps the tablet's page for hours without network."""
    script = _script() if settings.WHITENOISE_AUTOREFRESH else _script_of_release()
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


def page_files() -> list[str]:
    """Return the source names, in order, of the static files that the tablet's page loads and of those they load."""
    page = render_to_string(PAGE)
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


def _script() -> str:
    files = page_files()
    script = _source(SCRIPT)
    kept = sha256(render_to_string(PAGE).encode() + script)
    for name in files:
        kept.update(f"{name}\n".encode() + _source(name))
    release = {
        "version": kept.hexdigest()[:16],
        "page": reverse("exams:tablet-show"),
        "assets": [staticfiles_storage.url(name) for name in files],
    }
    return f"const RELEASE = {json.dumps(release)};\n{script.decode()}"


_script_of_release = cache(_script)
