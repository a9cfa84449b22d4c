"""Kinds of fault, one a file: what breaks, how it looks from outside, and what helps."""
