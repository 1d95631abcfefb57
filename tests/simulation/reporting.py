"""Histories played, and what is printed of those that break an invariant."""

from tests.simulation.pair import EXAM, Tablets, play
from tests.simulation.script import script
from tests.simulation.shrinking import shrunk


def play_all(seeds, folder, most_failures):
    """Play seeds until some fail; return 1 when one does."""
    failed = []
    with Tablets(folder or EXAM) as tablets:
        for world, violation in play(tablets, map(script, seeds)):
            if violation:
                failed.append(world.script.seed)
                print(f"seed {world.script.seed}: {violation}\n  make simulate SEED={world.script.seed}", flush=True)
            if len(failed) >= most_failures:
                break
    return int(bool(failed))


def show(seed, folder, *, is_shrunk):
    """Print one history, line by line, and its verdict."""
    with Tablets(folder or EXAM) as tablets:
        history = script(seed)
        ((world, violation),) = play(tablets, [history], is_traced=True)
        if violation and is_shrunk:
            history = shrunk(history, violation.invariant, tablets)
            ((world, violation),) = play(tablets, [history], is_traced=True)
    print(f"seed {seed}: {history.duration} s, grace {history.grace} s, extra time {history.extra}")
    for at, kind, args in history.events:
        print(f"  asked at {at / 1000:.3f}: {kind} {args}")
    print("\n".join(world.lines))
    print(f"seed {seed}: {violation or 'every invariant holds'}")
    return int(violation is not None)
