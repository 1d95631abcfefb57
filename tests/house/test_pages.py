"""Pages are answered in the thread of their request, in one go: what decision 21 rests on."""

import threading
from inspect import iscoroutinefunction

from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse
from django.urls import get_resolver, path

from ecni.pages import PagesHandler


def views(patterns):
    for one in patterns:
        if hasattr(one, "url_patterns"):
            yield from views(one.url_patterns)
        else:
            yield one.callback


def test_no_view_is_asynchronous():
    found = list(views(get_resolver().url_patterns))
    assert len(found) > 50
    assert [view for view in found if iscoroutinefunction(view)] == []


seen = []


def note_thread(_request):
    seen.append(threading.current_thread())
    return HttpResponse("vu")


urlpatterns = [path("", note_thread)]


async def test_a_page_is_answered_outside_the_event_loop(settings):
    settings.ROOT_URLCONF = __name__
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"testserver")], "query_string": b""}
    caller = ApplicationCommunicator(PagesHandler(), scope)
    await caller.send_input({"type": "http.request", "body": b""})
    assert (await caller.receive_output(10))["status"] == 200
    assert (await caller.receive_output(10))["body"] == b"vu"
    await caller.wait(10)
    assert seen[0] is not threading.current_thread()
