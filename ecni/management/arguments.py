"""What several commands are told."""

from argparse import ArgumentTypeError
from pathlib import Path


def existing_file(text: str) -> Path:
    """Read the name of a file.

    Raises:
        ArgumentTypeError: there is no such file.
    """
    if not Path(text).is_file():
        raise ArgumentTypeError(f"« {text} » n’existe pas")
    return Path(text)
