"""Ticks that ask Prometheus whether what has ended, or was called resolved, is over."""
