"""Real data of others: read where it lies, never copied in; tests that want it skip where it is absent."""

from pathlib import Path

import pytest

_PLACES = [parent / "shared" / "data" for parent in Path(__file__).parents]
DATA = next((place for place in _PLACES if place.is_dir()), _PLACES[0])


def folder_of(*names):
    """Return a folder of that data, or skip the test."""
    folder = DATA.joinpath(*names)
    if not folder.is_dir():
        pytest.skip(f"no {'/'.join(names)} data here")
    return folder
