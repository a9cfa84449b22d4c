"""Runs of approved actions as rows: the claim, the attempt, what came of it, and what it changed."""
