"""One reason why a diff may explain what went wrong: how much it counts, in words, and the evidence that it stands on."""

from typing import NamedTuple


class Reason(NamedTuple):
    """A reason; `points` are those of `Tuning.diffs`, `evidence` is the id of the line or signal."""

    points: float
    text: str
    evidence: str
