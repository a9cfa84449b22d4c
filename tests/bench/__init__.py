"""Benchmarks: Tocsin's figures beside those of what it is compared with. `python -m tests.bench`; the tests assert none."""
