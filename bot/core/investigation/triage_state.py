"""The states of one attempt at a triage."""

from enum import StrEnum


class TriageState(StrEnum):
    """Life of one attempt; stored under these values."""

    FACTS = "facts"
    """The first facts are being collected."""
    INVESTIGATING = "investigating"
    DONE = "done"
    STOPPED = "stopped"
    """A person ended it; nothing that comes later is shown."""
    FAILED = "failed"

    @property
    def running(self) -> bool:
        """Whether the attempt still works."""
        return self in RUNNING


RUNNING = (TriageState.FACTS, TriageState.INVESTIGATING)
