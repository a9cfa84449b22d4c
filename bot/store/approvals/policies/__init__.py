"""Policies as rows: which one counts, and which one waits until a second person agrees."""
