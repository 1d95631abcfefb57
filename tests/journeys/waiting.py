"""Waiting for what a page tells by a promise: Playwright's `wait_for_function` takes a promise for a yes."""

import time

PATIENCE_SECONDS = 30


def until(page, expression):
    """Wait until an asynchronous function gives true in the page."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)
