"""Persistence: every row that is read or written, with decisions of core applied inside the transaction."""
