"""Trace readers: Tempo and Jaeger, and the summing of whole traces."""
