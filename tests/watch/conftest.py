"""What the tests of the watch share."""

import pytest

from ecni.vitals import hints


@pytest.fixture
def hinting():
    """Give a client of an empty Redis."""
    hints._shared.cache_clear()
    to = hints.client()
    to.flushdb()
    yield to
    to.flushdb()
    to.close()
    hints._shared().close()
    hints._shared.cache_clear()
