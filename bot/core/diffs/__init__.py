"""Diffs: what the patches of a commit touch, and how far that explains new log lines, error texts and deviating signals."""
