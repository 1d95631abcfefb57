"""What several commands are told."""

from argparse import ArgumentTypeError
from pathlib import Path


def count(text: str) -> int:
    """Read how many.

    Raises:
        ArgumentTypeError: it is not a whole number above zero.
    """
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"« {text} » n’est pas un nombre entier positif")
    return int(text)


def existing_file(text: str) -> Path:
    """Read the name of a file.

    Raises:
        ArgumentTypeError: there is no such file.
    """
    if not Path(text).is_file():
        raise ArgumentTypeError(f"« {text} » n’existe pas")
    return Path(text)
