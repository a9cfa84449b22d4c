"""Kinds of fault, one a file: what breaks, what its metrics show, and what repairs it."""
