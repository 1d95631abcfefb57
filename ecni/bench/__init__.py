"""The benchmarks of `make bench`, by name. Adding one is adding a function to `BENCHMARKS`."""

from collections.abc import Callable, Mapping, Sequence

from ecni.bench.measures import Measure, Size
from ecni.bench.whole_exam import marking

BENCHMARKS: Mapping[str, Callable[[Size], Sequence[Measure]]] = {"marking": marking}
