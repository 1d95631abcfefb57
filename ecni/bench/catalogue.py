"""The benchmarks of `make bench`, by name. Adding one is adding a function to `BENCHMARKS`."""

from collections.abc import Callable, Mapping, Sequence

from ecni.bench.answers import answers
from ecni.bench.beats import beats
from ecni.bench.boards import boards
from ecni.bench.broadcast import broadcast, storm
from ecni.bench.curves import curves
from ecni.bench.entry import handshake, login
from ecni.bench.measures import Measure
from ecni.bench.memory import memory
from ecni.bench.stand import Stand
from ecni.bench.statements import statements
from ecni.bench.stored_exam import stored
from ecni.bench.whole_exam import marking

BENCHMARKS: Mapping[str, Callable[[Stand], Sequence[Measure]]] = {
    "answers": answers,
    "beats": beats,
    "boards": boards,
    "memory": memory,
    "handshake": handshake,
    "login": login,
    "broadcast": broadcast,
    "storm": storm,
    "statements": statements,
    "stored": stored,
    "curves": curves,
    "marking": marking,
}
