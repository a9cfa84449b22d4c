"""A time in a person's words that cannot be read for sure."""


class NotUnderstood(ValueError):
    """Words that give a time and could mean several, or one that cannot be; `str(error)` is these words and what is wrong."""
