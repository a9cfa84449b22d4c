"""Diffs: what they touch, and what that explains."""
