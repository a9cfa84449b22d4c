"""Metrics readers: Prometheus, recorded data, and the drawing of one graph."""
