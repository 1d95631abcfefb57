"""The concours blanc that `make demo` and `make rehearsal` build: our own bank, real cities, invented people."""
