"""The cache's connections: each process has one pool, whatever the thread."""

import threading

from django.core.cache import caches


def test_every_thread_shares_the_pool_of_the_cache():
    found = []
    thread = threading.Thread(target=lambda: found.append(caches["default"]._cache._get_connection_pool(write=True)))
    thread.start()
    thread.join()
    assert found[0] is caches["default"]._cache._get_connection_pool(write=True)
