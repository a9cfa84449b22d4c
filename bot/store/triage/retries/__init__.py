"""Reasons for which the causes of an open group are ranked anew, one a file."""
