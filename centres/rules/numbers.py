"""Anonymous numbers of sheets, such as `K7-4302`: drawn at random, so that they say nothing of the person."""

from collections.abc import Callable, Collection

LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = 10
TAIL = 10_000


def anonymous_numbers(count: int, taken: Collection[str], draw: Callable[[int], int]) -> list[str]:
    """Return `count` numbers, none of them taken, all different.

    Args:
        count: how many; the space holds 2,200,000.
        taken: numbers of the exam already given.
        draw: random source: a whole number from 0 to its argument, excluded.
    """
    given = set(taken)
    fresh: list[str] = []
    while len(fresh) < count:
        number = f"{LETTERS[draw(len(LETTERS))]}{draw(DIGITS)}-{draw(TAIL):04}"
        if number not in given:
            given.add(number)
            fresh.append(number)
    return fresh
