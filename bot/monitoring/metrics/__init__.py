"""Metrics readers: Prometheus, recorded data (its logs and traces too), and the drawing of one graph."""
