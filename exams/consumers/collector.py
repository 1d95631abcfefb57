"""What is there to stay is kept from the garbage collector, which would stop the loop to walk thousands of sessions."""

import gc
import time

FREEZE_EVERY = 200
LONG_SECONDS = 0.005
"""A walk as long as this one has met much that is there to stay."""


class Spared:
    """Told by the hub who enters and who leaves; has everything that is not frozen walked at each look, every second.

    A tablet that speaks renews ten objects of its socket. The collector counts what was made less what has died, next
    to nothing here: left to itself it walks all of them at once, some time, in which nobody is answered.

    What is frozen is never collected, and sockets that have closed leave cycles behind: once as many have left as are
    there, which is at once in a storm, all is looked at again.
    """

    def __init__(self) -> None:
        self.entered = self.left = 0

    def look(self, inside: int) -> None:
        """Collect, and freeze what came or what is long to walk; `inside` is how many are there."""
        are_many_gone = self.left >= max(FREEZE_EVERY, inside)
        if are_many_gone:
            gc.unfreeze()
            self.left = 0
        began = time.perf_counter()
        gc.collect()
        is_long = time.perf_counter() - began >= LONG_SECONDS
        if are_many_gone or is_long or self.entered >= FREEZE_EVERY:
            gc.freeze()
            self.entered = 0  # who comes back counts: everybody may at once
