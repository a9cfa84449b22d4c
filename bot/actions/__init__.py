"""Remediations, one plugin a file: each dry-runs, runs, verifies and says how it is undone."""
