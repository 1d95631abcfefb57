"""The benchmarks of `make bench`, each figure beside a floor measured in the same run. `catalogue` names them."""
