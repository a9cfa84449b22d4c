"""Benchmarks: our figures beside a rival's from the same call. `python -m tests.bench`; none is asserted in the tests."""
