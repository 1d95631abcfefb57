"""Shares and coefficients as the French write them."""

from fractions import Fraction

from django import template

register = template.Library()

NO_BREAK = "\N{NARROW NO-BREAK SPACE}"


@register.filter
def percent(share: float | Fraction) -> str:
    """Return a share, 1 for all, in per cent with one decimal at most: `12,5 %`."""
    text = f"{100 * float(share):.1f}".replace(".", ",").removesuffix(",0")
    return f"{text}{NO_BREAK}%"


@register.filter
def coefficient(value: float | None) -> str:
    """Return a coefficient with two decimals and a true minus sign; a dash when there is none."""
    return "–" if value is None else f"{value:.2f}".replace(".", ",").replace("-", "−")


@register.filter
def likeness(value: float) -> str:
    """Return a coefficient from -1 to 1 with four decimals, never rounded up to a perfect 1."""
    if abs(value) >= 1:
        return "1" if value > 0 else "−1"
    return f"{int(value * 10_000) / 10_000:.4f}".replace(".", ",").replace("-", "−")


@register.filter
def gain(ranks: int) -> str:
    """Return ranks won with their sign: `+12`, `−3`, `0`."""
    return f"{ranks:+d}".replace("-", "−") if ranks else "0"
