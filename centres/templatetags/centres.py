"""Small helps of the consoles' pages."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def entry(mapping: Mapping[str, Any], key: str) -> Any:
    """Return an entry of a mapping, by a key that is in a variable."""
    return mapping.get(key, "")


@register.filter
def is_shown(row: Mapping[str, Any], shown: str) -> bool:
    """Whether a filter keeps a row: a state, a tone, or everything."""
    return shown in {"all", row["code"], row["tone"]}


@register.filter
def grouped_hex(digits: str) -> str:
    """Return hexadecimal digits in upper case, four by four, as they are read aloud."""
    return " ".join(digits[at : at + 4].upper() for at in range(0, len(digits), 4))
