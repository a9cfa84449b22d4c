"""A runbook that was found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunbookHit:
    """A runbook that may fit: its id in the shelf, title, the passage and how well it fits (0..1)."""

    id: str
    title: str
    passage: str
    score: float
    link: str = ""
