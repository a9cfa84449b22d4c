"""Which parts of a reading are missing: a part that could not be read is never said to be well."""

from collections.abc import Sequence


def could_not_read(part: str, why: str) -> str:
    """The entry of a part that is missing, in words."""
    return f"{part} could not be read: {why}"


def missing_parts(unread: Sequence[str]) -> tuple[str, ...]:
    """The names of the parts behind such entries."""
    return tuple(entry.partition(" could not be read: ")[0] for entry in unread)
