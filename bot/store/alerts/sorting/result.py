"""What came of sorting a batch of alerts, to be done after its commit."""

from dataclasses import dataclass, field


@dataclass
class SortingResult:
    """What came of one batch, to be done after the commit."""

    triages: list[tuple[str, int]] = field(default_factory=list)
    """(group, attempt) to start."""
    backlogs: set[tuple[str, str]] = field(default_factory=set)
    """Sources whose backlog grew, each with the channel whose summary names what came; "": the default one."""
    rows: int = 0
    """How many of the batch's rows were sorted: the rest are for the next batch."""
    opened: int = 0
    """Groups that this batch opened."""
    more: bool = False
    """Whether more is likely to wait behind this batch."""

    def merge(self, later: "SortingResult") -> None:
        """Take over what came of a further batch of the same transaction."""
        self.triages += [triage for triage in later.triages if triage not in self.triages]
        self.backlogs |= later.backlogs
        self.rows += later.rows
        self.opened += later.opened
