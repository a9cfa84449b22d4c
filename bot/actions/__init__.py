"""Remediations, one plugin a file: each dry-runs, runs, verifies and names its undo."""
