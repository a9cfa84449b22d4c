"""Investigations as rows: evidence, findings, changes, and what later investigations learn from them."""
