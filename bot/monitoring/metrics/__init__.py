"""Metrics readers: Prometheus, and the drawing of one graph."""
