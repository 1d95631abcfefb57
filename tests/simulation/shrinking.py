"""Shorten a history that breaks an invariant: events are taken away as long as it still does."""

from dataclasses import replace

from tests.simulation.pair import play


def shrunk(script, invariant, tablets):
    """Return the shortest history found that breaks the same invariant."""
    size = len(script.events) // 2
    while size:
        shorter = [
            replace(script, events=script.events[:start] + script.events[start + size :])
            for start in range(0, len(script.events), size)
        ]
        failing = next((one for one in shorter if _fails(one, invariant, tablets)), None)
        script, size = (failing, min(size, len(failing.events))) if failing else (script, size // 2)
    return script


def _fails(script, invariant, tablets):
    ((_, violation),) = play(tablets, [script])
    return violation is not None and violation.invariant == invariant
